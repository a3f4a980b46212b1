#include "tools/adamec-plan/write_goal.h"

#include <fmt/format.h>

#include "adamec/base/file.h"
#include "adamec/base/units.h"
#include "adamec/report/goal_report.h"

namespace adamec::tools {
namespace {

using Kind = GoalConfig::Kind;

std::vector<plan::Ceiling> ceilings(const PlanInput& input) {
  if (!input.deadline_ms) return {};
  return {{plan::Measure::kLatency, *input.deadline_ms}};
}

report::Document throughput(const PlanInput& input, const plan::Evaluator& evaluator,
                            const PlanConfig& config, std::string& summary) {
  const plan::Pipeline pipeline = plan::find_pipeline(evaluator, {config.goal.buffers});
  summary = fmt::format("{} {}, {:.4g} inferences per second, limited by {} ({})",
                        pipeline.stages.size(), pipeline.stages.size() == 1 ? "stage" : "stages",
                        pipeline.per_second(), pipeline.slowest, format_ms(pipeline.slowest_ms));
  return report::pipeline_document(input.costs, pipeline);
}

report::Document front(const PlanInput& input, const plan::Evaluator& evaluator,
                       const PlanConfig& config, std::string& summary) {
  const auto [first, second] = config.goal.pareto;
  const plan::Front front = plan::pareto_front(evaluator, first, second, config.goal.points,
                                               ceilings(input), search_limits(config));
  summary = report::front_table(evaluator, front, first, second) +
            fmt::format("{} plans{}", front.plans.size(),
                        front.proven ? ", all proven" : ", not all proven");
  return report::front_document(input.costs, evaluator, front, first, second);
}

report::Document objective(const PlanInput& input, const plan::Evaluator& evaluator,
                           const PlanConfig& config, std::string& summary) {
  const plan::ObjectivePlan best = plan::find_best_plan(evaluator, config.goal.objective,
                                                        ceilings(input), search_limits(config));
  summary = fmt::format(
      "{}: {:.6g}, {}; latency {}", config.goal.name, best.value,
      best.plan.gap == 0 ? "proven optimal" : fmt::format("gap {:.2g} %", 100 * best.plan.gap),
      format_ms(best.plan.evaluation.latency_ms));
  return report::objective_document(input.costs, evaluator, best, config.goal.name);
}

}  // namespace

void write_goal(const PlanInput& input, const plan::Evaluator& evaluator, const PlanConfig& config,
                const CommonOptions& common, const Console& console) {
  const Kind kind = config.goal.kind;
  std::string summary;
  const auto find = kind == Kind::kThroughput ? throughput
                    : kind == Kind::kPareto   ? front
                                              : objective;
  const report::Document document = find(input, evaluator, config, summary);
  write_file(config.output, config.format == Format::kJson ? report::to_json(document)
                                                           : report::to_yaml(document));
  console.note(summary);
  write_depfile(common, config.output, input.files);
}

}  // namespace adamec::tools
