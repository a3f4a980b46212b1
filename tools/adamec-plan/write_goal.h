#pragma once

#include "tools/adamec-plan/plan.h"

namespace adamec::tools {

// Finds and writes the plan (or the front, or the pipeline) of a goal other than latency alone.
void write_goal(const PlanInput& input, const plan::Evaluator& evaluator, const PlanConfig& config,
                const CommonOptions& common, const Console& console);

}  // namespace adamec::tools
