#include "adamec/report/plan_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamec/base/text_table.h"
#include "adamec/base/units.h"

namespace adamec::report {
namespace {

Document per_tier(const plan::CostGraph& costs, const auto& values) {
  Document document = Document::object();
  for (std::size_t i = 0; i < costs.tiers.size(); ++i) document[costs.tiers[i].name] = values[i];
  return document;
}

Document blocks(const plan::CostGraph& costs, const plan::Evaluation& evaluation) {
  Document document = Document::array();
  for (const plan::Block& block : evaluation.blocks) {
    Document atoms = Document::array();
    for (int atom : block.atoms) atoms.push_back(costs.graph.atoms()[atom].id);
    document.push_back({{"tier", costs.tiers[block.tier].name}, {"atoms", std::move(atoms)}});
  }
  return document;
}

Document transfers(const plan::CostGraph& costs, const plan::Evaluation& evaluation) {
  Document document = Document::array();
  for (const plan::Transfer& transfer : evaluation.transfers) {
    document.push_back({{"tensor", costs.graph.tensors()[transfer.tensor].id},
                        {"from", costs.tiers[transfer.from].name},
                        {"to", costs.tiers[transfer.to].name},
                        {"bytes", transfer.bytes},
                        {"ms", transfer.ms}});
  }
  return document;
}

// nlohmann's ordered objects look keys up one by one, which is quadratic for large placements; the
// keys are known to differ, so they are appended to the underlying vector.
Document placement(const plan::CostGraph& costs, const plan::Placement& placement) {
  Document::object_t object;
  object.reserve(placement.size());
  for (std::size_t i = 0; i < placement.size(); ++i) {
    object.push_back({costs.graph.atoms()[i].id, Document(costs.tiers[placement[i]].name)});
  }
  return Document(std::move(object));
}

// The bandwidth of the first link at which a competitor's placement is as fast as ours.
std::string even_at(const plan::CostGraph& costs, const plan::Evaluation& competitor,
                    const plan::Evaluation& ours) {
  const auto factor = plan::break_even(costs, competitor, ours);
  const auto link = std::find_if(costs.links.begin(), costs.links.end(),
                                 [](const auto& candidate) { return candidate.has_value(); });
  if (!factor || link == costs.links.end()) return "-";
  return fmt::format("{:.4g} Mbit/s", *factor * (*link)->bytes_per_second * 8e-6);
}

}  // namespace

Document plan_document(const plan::CostGraph& costs, const plan::Plan& plan,
                       const std::vector<plan::Competitor>& competitors) {
  const plan::Evaluation& evaluation = plan.evaluation;
  Document document{{"objective", "latency"},
                    {"latency_ms", evaluation.latency_ms},
                    {"lower_bound_ms", plan.lower_bound_ms},
                    {"gap", plan.gap}};
  document["placement"] = placement(costs, plan.placement);
  document["blocks"] = blocks(costs, evaluation);
  document["transfers"] = transfers(costs, evaluation);
  document["breakdown"] = {{"compute_ms", per_tier(costs, evaluation.compute_ms)},
                           {"transfer_ms", evaluation.transfer_ms},
                           {"handoff_ms", evaluation.handoff_ms}};
  document["memory_bytes"] = per_tier(costs, evaluation.memory_bytes);
  if (!competitors.empty()) {
    Document compared = Document::object();
    for (const plan::Competitor& competitor : competitors) {
      compared[competitor.name] = competitor.evaluation.feasible()
                                      ? Document(competitor.evaluation.latency_ms)
                                      : Document(nullptr);
    }
    document["baselines"] = std::move(compared);
  }
  return document;
}

std::string comparison_table(const plan::CostGraph& costs,
                             const std::vector<plan::Competitor>& competitors) {
  using Align = TextTable::Align;
  std::vector<TextTable::Column> columns{{"placement"}, {"latency", Align::kRight}};
  for (const plan::Tier& tier : costs.tiers) columns.push_back({tier.name, Align::kRight});
  columns.push_back({"transfers", Align::kRight});
  columns.push_back({"moves", Align::kRight});
  columns.push_back({"ours saves", Align::kRight});
  columns.push_back({"even at", Align::kRight});
  columns.push_back({""});
  TextTable table(columns);
  const double ours = competitors.empty() ? 0 : competitors.back().evaluation.latency_ms;
  for (const plan::Competitor& competitor : competitors) {
    const plan::Evaluation& evaluation = competitor.evaluation;
    std::vector<std::string> cells{competitor.name};
    if (!evaluation.feasible()) {
      cells.resize(columns.size() - 1, "-");
      cells.push_back("infeasible: " + evaluation.infeasible);
      table.add_row(std::move(cells));
      continue;
    }
    cells.push_back(format_ms(evaluation.latency_ms));
    for (double compute : evaluation.compute_ms) cells.push_back(format_ms(compute));
    cells.push_back(format_ms(evaluation.transfer_ms));
    cells.push_back(format_ms(evaluation.handoff_ms));
    const bool comparable = &competitor != &competitors.back() && evaluation.latency_ms > 0;
    cells.push_back(comparable ? fmt::format("{:.1f} %", 100 * (1 - ours / evaluation.latency_ms))
                               : "");
    cells.push_back(comparable ? even_at(costs, evaluation, competitors.back().evaluation) : "");
    table.add_row(std::move(cells));
  }
  return table.str();
}

}  // namespace adamec::report
