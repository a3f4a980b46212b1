#include <fmt/format.h>

#include <array>

#include "adamec/base/units.h"
#include "adamec/report/plan_report.h"

namespace adamec::report {
namespace {

// Fill colours that stay apart in print and for the colour-blind (Okabe and Ito, lightened).
constexpr std::array<const char*, 6> kColours = {"#cfe8f7", "#fbe0b3", "#c9ecdf",
                                                 "#f6d3e6", "#f9f3b8", "#e6e6e6"};

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + '"';
}

}  // namespace

std::string plan_dot(const plan::CostGraph& costs, const plan::Plan& plan) {
  std::string text = "digraph plan {\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n";
  const auto colour = [&](int tier) { return kColours[tier % kColours.size()]; };
  for (std::size_t i = 0; i < costs.tiers.size(); ++i) {
    text += fmt::format("  tier{} [label={}, fillcolor=\"{}\", shape=note];\n", i,
                        quoted(costs.tiers[i].name), colour(static_cast<int>(i)));
  }
  const auto& atoms = costs.graph.atoms();
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const int tier = plan.placement[i];
    text +=
        fmt::format("  atom{} [label={}, tooltip={}, fillcolor=\"{}\"];\n", i, quoted(atoms[i].id),
                    quoted(format_ms(costs.atoms[i].latency_ms[tier])), colour(tier));
  }
  std::vector<const plan::Transfer*> moved(costs.graph.tensors().size(), nullptr);
  for (const plan::Transfer& transfer : plan.evaluation.transfers) {
    moved[transfer.tensor] = &transfer;
  }
  const auto add_edge = [&](std::size_t tensor, const std::string& from, const std::string& to,
                            bool crosses) {
    text += fmt::format("  {} -> {}", from, to);
    if (crosses) {
      text += fmt::format(" [style=dashed, label={}]", quoted(format_bytes(moved[tensor]->bytes) +
                                                              ", " + format_ms(moved[tensor]->ms)));
    }
    text += ";\n";
  };
  std::vector<int> source(costs.graph.tensors().size(), -1);
  for (const plan::Endpoint& input : costs.inputs) {
    source[input.tensor] = input.tier;
    text += fmt::format("  input{0} [label={1}, shape=ellipse, fillcolor=\"{2}\"];\n", input.tensor,
                        quoted(costs.graph.tensors()[input.tensor].id), colour(input.tier));
  }
  const auto from_of = [&](std::size_t tensor) {
    const int producer = costs.graph.tensors()[tensor].producer;
    return producer < 0 ? fmt::format("input{}", tensor) : fmt::format("atom{}", producer);
  };
  const auto tier_of = [&](std::size_t tensor) {
    const int producer = costs.graph.tensors()[tensor].producer;
    return producer < 0 ? source[tensor] : plan.placement[producer];
  };
  for (std::size_t tensor = 0; tensor < costs.graph.tensors().size(); ++tensor) {
    for (int consumer : costs.graph.tensors()[tensor].consumers) {
      add_edge(tensor, from_of(tensor), fmt::format("atom{}", consumer),
               plan.placement[consumer] != tier_of(tensor));
    }
  }
  for (const plan::Endpoint& output : costs.outputs) {
    const std::size_t tensor = output.tensor;
    const int tier = output.tier >= 0 ? output.tier : tier_of(tensor);
    text += fmt::format("  output{} [label={}, shape=ellipse, fillcolor=\"{}\"];\n", tensor,
                        quoted("result " + costs.graph.tensors()[tensor].id), colour(tier));
    add_edge(tensor, from_of(tensor), fmt::format("output{}", tensor), tier != tier_of(tensor));
  }
  return text + "}\n";
}

}  // namespace adamec::report
