#pragma once

#include <string>
#include <vector>

#include "adamec/plan/search/branch_and_bound.h"

namespace adamec::plan {

// The part of explain_plan() that changes one condition at a time and plans again.
[[nodiscard]] std::vector<std::string> explain_limits(const CostGraph& costs, const Plan& plan);

}  // namespace adamec::plan
