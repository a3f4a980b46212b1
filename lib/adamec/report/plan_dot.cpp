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
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + '"';
}

class DotWriter {
 public:
  DotWriter(const plan::CostGraph& costs, const plan::Plan& plan)
      : costs_(costs),
        plan_(plan),
        input_tier_(costs.graph.tensors().size(), -1),
        transfers_(costs.graph.tensors().size(), nullptr) {
    for (const plan::Endpoint& input : costs.inputs) input_tier_[input.tensor] = input.tier;
    for (const plan::Transfer& transfer : plan.evaluation.transfers) {
      transfers_[transfer.tensor] = &transfer;
    }
  }

  std::string write() {
    text_ = "digraph plan {\n  node [style=filled, fontname=\"sans-serif\"];\n";
    const auto& atoms = costs_.graph.atoms();
    const auto& tensors = costs_.graph.tensors();
    for (std::size_t i = 0; i < costs_.tiers.size(); ++i) {
      add_node("tier", i, costs_.tiers[i].name, "note", static_cast<int>(i));
    }
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      const int tier = plan_.placement[i];
      const std::string time = format_ms(costs_.atoms[i].latency_ms[tier]);
      add_node("atom", i, atoms[i].id + "\n" + time, "box", tier);
    }
    for (const plan::Endpoint& input : costs_.inputs) {
      add_node("input", input.tensor, tensors[input.tensor].id, "ellipse", input.tier);
    }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      for (int consumer : tensors[i].consumers) {
        add_edge(i, fmt::format("atom{}", consumer), plan_.placement[consumer]);
      }
    }
    for (const plan::Endpoint& output : costs_.outputs) {
      const int tier = output.tier >= 0 ? output.tier : tier_of(output.tensor);
      add_node("output", output.tensor, "result " + tensors[output.tensor].id, "ellipse", tier);
      add_edge(output.tensor, fmt::format("output{}", output.tensor), tier);
    }
    return text_ + "}\n";
  }

 private:
  void add_node(const char* kind, std::size_t index, const std::string& label, const char* shape,
                int tier) {
    text_ += fmt::format("  {}{} [label={}, shape={}, fillcolor=\"{}\"];\n", kind, index,
                         quoted(label), shape, kColours[tier % kColours.size()]);
  }

  int tier_of(std::size_t tensor) const {
    const int producer = costs_.graph.tensors()[tensor].producer;
    return producer < 0 ? input_tier_[tensor] : plan_.placement[producer];
  }

  void add_edge(std::size_t tensor, const std::string& to, int to_tier) {
    const int producer = costs_.graph.tensors()[tensor].producer;
    text_ += producer < 0 ? fmt::format("  input{}", tensor) : fmt::format("  atom{}", producer);
    text_ += " -> " + to;
    if (to_tier != tier_of(tensor)) {
      const plan::Transfer& transfer = *transfers_[tensor];
      const std::string label = format_bytes(transfer.bytes) + ", " + format_ms(transfer.ms);
      text_ += fmt::format(" [style=dashed, label={}]", quoted(label));
    }
    text_ += ";\n";
  }

  const plan::CostGraph& costs_;
  const plan::Plan& plan_;
  std::vector<int> input_tier_;                   // per tensor
  std::vector<const plan::Transfer*> transfers_;  // per tensor; null: it stays on its tier
  std::string text_;
};

}  // namespace

std::string plan_dot(const plan::CostGraph& costs, const plan::Plan& plan) {
  return DotWriter(costs, plan).write();
}

}  // namespace adamec::report
