#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adamec/plan/search/branch_and_bound.h"

namespace adamec::plan {

// Why a plan is as it is, in sentences for people: where its time goes; for every cut what crosses
// it, and what one atom more or less on each side would cost; what twice
// the bandwidth, a faster tier, unlimited memory or no pins would save, and so what limits it.
[[nodiscard]] std::vector<std::string> explain_plan(const Evaluator& evaluator, const Plan& plan,
                                                    std::optional<double> deadline_ms);

// Why there is no plan, or none within the deadline: which constraints make it impossible, each by
// itself, and by how much.
[[nodiscard]] std::vector<std::string> explain_infeasible(const CostGraph& costs,
                                                          std::optional<double> deadline_ms);

}  // namespace adamec::plan
