#include "tools/adamec-plan/plan.h"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <limits>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/units.h"
#include "adamec/plan/explain/explain.h"
#include "adamec/plan/search/heuristics.h"
#include "adamec/report/plan_report.h"
#include "tools/adamec-plan/costs.h"

namespace adamec::tools {
namespace {

plan::Placement place(const plan::Evaluator& evaluator, Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kMinCut:
      return plan::min_cut(evaluator);
    case Algorithm::kDads:
      return plan::dads(evaluator);
    case Algorithm::kNeurosurgeon:
      return plan::neurosurgeon(evaluator);
    case Algorithm::kGreedy:
      return plan::greedy(evaluator);
    case Algorithm::kDeviceOnly:
      return plan::device_only(evaluator);
    case Algorithm::kEdgeOnly:
      return plan::edge_only(evaluator);
    case Algorithm::kOptimal:
      break;
  }
  return {};
}

std::string summary(const plan::Plan& plan, const plan::CostGraph& costs) {
  std::string text = format_ms(plan.evaluation.latency_ms);
  text += plan.gap == 0 ? ", proven optimal"
                        : fmt::format(", at most {:.2g} % above the optimum",
                                      100 * plan.gap / (1 - plan.gap));
  std::vector<int> atoms(costs.tiers.size(), 0);
  for (int tier : plan.placement) ++atoms[tier];
  for (std::size_t tier = 0; tier < atoms.size(); ++tier) {
    text += fmt::format("{} {} on {}", tier == 0 ? ";" : ",", atoms[tier],
                        printable(costs.tiers[tier].name));
  }
  return text + fmt::format("; {} moves", plan.evaluation.moves);
}

}  // namespace

plan::SearchLimits search_limits(const PlanConfig& config) {
  plan::SearchLimits limits;
  if (!config.time_limit_ms) return limits;
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double, std::milli>(*config.time_limit_ms);
  limits.work = std::numeric_limits<std::int64_t>::max();
  limits.stop = [end] { return Clock::now() >= end; };
  return limits;
}

PlanInput read_input(const PlanConfig& config, const Console& console) {
  if (!config.costs.empty()) {
    const v1::CostGraph message = plan::read_cost_message(config.costs);
    PlanInput input{plan::make_cost_graph(message, display_name(config.costs)),
                    config.goal.deadline_ms,
                    std::nullopt,
                    {config.costs}};
    if (message.has_atlas()) input.atlas = message.atlas();
    return input;
  }
  const plan::Context context = plan::read_context(config.context);
  const archive::Reader archive = archive::Reader::open(config.archive);
  PredictedCosts predicted = predict_costs(archive, context, config.quantile);
  for (const std::string& mismatch : predicted.mismatches) {
    if (config.strict) throw Error(ErrorKind::kFailed, mismatch);
    console.warn(mismatch);
  }
  for (const std::string& warning : predicted.warnings) console.warn(warning);
  PlanInput input{
      // What may be wrong with it comes from the context: links, pins, deadlines, ranges.
      plan::make_cost_graph(predicted.message, display_name(config.context)),
      config.goal.deadline_ms ? config.goal.deadline_ms : context.constraints.deadline_ms,
      std::nullopt,
      {config.archive, config.context}};
  input.files.insert(input.files.end(), predicted.files.begin(), predicted.files.end());
  if (predicted.message.has_atlas()) input.atlas = predicted.message.atlas();
  if (!config.save_costs.empty()) {
    write_file(config.save_costs, plan::cost_message_json(predicted.message));
  }
  return input;
}

plan::Plan choose_plan(const PlanInput& input, const plan::Evaluator& evaluator,
                       const PlanConfig& config) {
  plan::Plan best = plan::find_optimal(evaluator, search_limits(config));
  if (config.algorithm != Algorithm::kOptimal) {
    best = plan::score_plan(evaluator, place(evaluator, config.algorithm), best.lower_bound_ms);
    if (!best.evaluation.feasible()) {
      fail_with(ErrorKind::kInfeasible, "{}: the chosen algorithm's placement cannot run: {}",
                input.costs.source, best.evaluation.infeasible);
    }
  }
  const double latency = best.evaluation.latency_ms;
  if (input.deadline_ms && latency > *input.deadline_ms) {
    fail_with(
        ErrorKind::kInfeasible,
        "{}: constraints.deadline: the {} plan takes {:.6g} ms, {:.6g} ms more than {:.6g} ms",
        input.costs.source, best.gap == 0 ? "fastest" : "best known", latency,
        latency - *input.deadline_ms, *input.deadline_ms);
  }
  return best;
}

plan::Plan choose_explained_plan(const PlanInput& input, const plan::Evaluator& evaluator,
                                 const PlanConfig& config) {
  try {
    return choose_plan(input, evaluator, config);
  } catch (const Error& error) {
    if (config.extra.explain && error.kind() == ErrorKind::kInfeasible) {
      std::cerr << explanation(plan::explain_infeasible(input.costs, input.deadline_ms));
    }
    throw;
  }
}

std::string explanation(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  return text;
}

void write_plan(const plan::Plan& plan, const PlanInput& input, const plan::Evaluator& evaluator,
                const PlanConfig& config, const CommonOptions& common, const Console& console) {
  std::vector<plan::Competitor> competitors;
  if (config.compare) competitors = plan::compare(evaluator, plan);
  const report::Document document = report::plan_document(input.costs, plan, competitors);
  if (!config.extra.html.empty()) {
    const auto sentences = config.extra.explain
                               ? plan::explain_plan(evaluator, plan, input.deadline_ms)
                               : std::vector<std::string>();
    write_file(config.extra.html, report::plan_html(input.costs, plan, sentences));
  }
  if (!config.dot.empty()) write_file(config.dot, report::plan_dot(input.costs, plan));
  write_file(config.output, config.format == Format::kJson ? report::to_json(document)
                                                           : report::to_yaml(document));
  const bool stdout_is_free = config.output != "-" && config.dot != "-" && config.save_costs != "-";
  if (config.compare) {
    const std::string table = report::comparison_table(input.costs, competitors);
    if (stdout_is_free) {
      std::cout << table;
    } else if (!console.quiet()) {
      std::cerr << table;
    }
  }
  if (config.extra.explain) {
    const std::string text = explanation(plan::explain_plan(evaluator, plan, input.deadline_ms));
    (stdout_is_free ? std::cout : std::cerr) << text;
  }
  console.note(summary(plan, input.costs));
  write_depfile(common, config.output, input.files);
}

}  // namespace adamec::tools
