#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adamec/plan/search/branch_and_bound.h"

namespace adamec::plan {

// The factor of all bandwidths at which two placements (which stay as they are) take equally long;
// nothing when there is none.
[[nodiscard]] std::optional<double> break_even(const CostGraph& costs, const Evaluation& a,
                                               const Evaluation& b);

struct Competitor {
  std::string name;
  Evaluation evaluation;
};
// "device-only", "edge-only", "neurosurgeon", "dads", "greedy", for small graphs "exhaustive", and
// "ours" (the given plan), all scored alike.
[[nodiscard]] std::vector<Competitor> compare(const Evaluator& evaluator, const Plan& ours);

}  // namespace adamec::plan
