#include "adamec/report/goal_report.h"

#include <fmt/format.h>

#include <cmath>

#include "adamec/base/text_table.h"
#include "adamec/base/units.h"
#include "adamec/report/plan_report.h"

namespace adamec::report {
namespace {

using plan::Measure;

double value_of(const plan::Evaluator& evaluator, const plan::Plan& plan, Measure measure) {
  return plan::measure_all(evaluator, plan.evaluation)[static_cast<std::size_t>(measure)];
}

// Under the names that say the unit; whole bytes stay whole.
void add_measures(Document& document, const plan::Evaluator& evaluator, const plan::Plan& plan) {
  const auto whole = [&](Measure measure) {
    return static_cast<std::uint64_t>(std::llround(value_of(evaluator, plan, measure)));
  };
  document["measures"] = {{"latency_ms", value_of(evaluator, plan, Measure::kLatency)},
                          {"energy_mj", value_of(evaluator, plan, Measure::kEnergy)},
                          {"memory_bytes", whole(Measure::kMemory)},
                          {"bytes_sent", whole(Measure::kBytes)}};
}

std::string for_people(Measure measure, double value) {
  switch (measure) {
    case Measure::kLatency:
      return format_ms(value);
    case Measure::kEnergy:
      return fmt::format("{:.4g} mJ", value);
    case Measure::kMemory:
    case Measure::kBytes:
      break;
  }
  return format_bytes(static_cast<std::uint64_t>(std::llround(value)));
}

}  // namespace

Document objective_document(const plan::CostGraph& costs, const plan::Evaluator& evaluator,
                            const plan::ObjectivePlan& best, const std::string& objective) {
  Document document{{"objective", objective},
                    {"value", best.value},
                    {"lower_bound", best.lower_bound},
                    {"gap", best.plan.gap}};
  const Document plan = plan_document(costs, best.plan, {});
  for (const auto& [key, value] : plan.items()) {
    if (!document.contains(key) && key != "lower_bound_ms") document[key] = value;
  }
  add_measures(document, evaluator, best.plan);
  return document;
}

Document front_document(const plan::CostGraph& costs, const plan::Evaluator& evaluator,
                        const plan::Front& front, Measure first, Measure second) {
  Document document{{"pareto", {plan::measure_name(first), plan::measure_name(second)}},
                    {"proven", front.proven}};
  Document plans = Document::array();
  for (const plan::ObjectivePlan& point : front.plans) {
    Document entry;
    add_measures(entry, evaluator, point.plan);
    entry["gap"] = point.plan.gap;
    entry["placement"] = plan_document(costs, point.plan, {})["placement"];
    plans.push_back(std::move(entry));
  }
  document["plans"] = std::move(plans);
  return document;
}

std::string front_table(const plan::Evaluator& evaluator, const plan::Front& front, Measure first,
                        Measure second) {
  using Align = TextTable::Align;
  std::vector<TextTable::Column> columns{{plan::measure_name(first), Align::kRight},
                                         {plan::measure_name(second), Align::kRight},
                                         {"moves", Align::kRight}};
  for (const plan::Tier& tier : evaluator.costs().tiers) {
    columns.push_back({"on " + tier.name, Align::kRight});
  }
  TextTable table(columns);
  for (const plan::ObjectivePlan& point : front.plans) {
    std::vector<int> atoms(evaluator.costs().tiers.size(), 0);
    for (int tier : point.plan.placement) ++atoms[tier];
    std::vector<std::string> cells{for_people(first, value_of(evaluator, point.plan, first)),
                                   for_people(second, value_of(evaluator, point.plan, second)),
                                   std::to_string(point.plan.evaluation.moves)};
    for (int count : atoms) cells.push_back(std::to_string(count));
    table.add_row(std::move(cells));
  }
  return table.str();
}

Document pipeline_document(const plan::CostGraph& costs, const plan::Pipeline& pipeline) {
  Document document{{"objective", "throughput"},
                    {"per_second", pipeline.per_second()},
                    {"slowest_ms", pipeline.slowest_ms},
                    {"slowest", pipeline.slowest},
                    {"gap", 0.0}};
  Document stages = Document::array();
  const auto& order = costs.graph.topological_order();
  for (const plan::Stage& stage : pipeline.stages) {
    Document atoms = Document::array();
    for (int i = stage.first; i < stage.last; ++i) {
      atoms.push_back(costs.graph.atoms()[order[i]].id);
    }
    stages.push_back({{"tier", costs.tiers[stage.tier].name},
                      {"receive_ms", stage.receive_ms},
                      {"compute_ms", stage.compute_ms},
                      {"memory_bytes", stage.memory_bytes},
                      {"atoms", std::move(atoms)}});
  }
  document["stages"] = std::move(stages);
  document["return_ms"] = pipeline.return_ms;
  return document;
}

}  // namespace adamec::report
