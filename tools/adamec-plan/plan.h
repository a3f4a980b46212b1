#pragma once

#include <string>
#include <vector>

#include "adamec/plan/compare/competitors.h"
#include "adamec/plan/cost/cost_graph.h"
#include "tools/adamec-plan/options.h"
#include "tools/common/run_tool.h"

namespace adamec::tools {

// Where the costs come from and what the context demands of the plan.
struct PlanInput {
  plan::CostGraph costs;
  std::optional<double> deadline_ms;
  std::optional<v1::AtlasRanges> atlas;
  std::vector<std::string> files;  // all that were read
};

// Reads the cost graph, or makes it from archive, predictors and context; writes --save-costs.
[[nodiscard]] PlanInput read_input(const PlanConfig& config, const Console& console);

// The default amount of work, or the time given.
[[nodiscard]] plan::SearchLimits search_limits(const PlanConfig& config);

// The plan of the chosen algorithm. Throws Error(kInfeasible) when it cannot run or misses the
// deadline.
[[nodiscard]] plan::Plan choose_plan(const PlanInput& input, const plan::Evaluator& evaluator,
                                     const PlanConfig& config);

// The same; when there is none and --explain is given, says on stderr which constraint makes it
// impossible before the error is thrown.
[[nodiscard]] plan::Plan choose_explained_plan(const PlanInput& input,
                                               const plan::Evaluator& evaluator,
                                               const PlanConfig& config);

// Sentences of --explain, one a line.
[[nodiscard]] std::string explanation(const std::vector<std::string>& sentences);

// Writes plan, picture, table and depfile as asked for.
void write_plan(const plan::Plan& plan, const PlanInput& input, const plan::Evaluator& evaluator,
                const PlanConfig& config, const CommonOptions& common, const Console& console);

}  // namespace adamec::tools
