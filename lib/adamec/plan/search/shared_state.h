#pragma once

#include <optional>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/plan/cost/evaluate.h"

// Atoms that share state run on one tier, whichever it is (CostGraph::shared_state). That is one
// problem for each tier, with these atoms pinned there; the best of them is the answer.
namespace adamec::plan {

// Whether there is anything to choose.
[[nodiscard]] bool has_alternatives(const CostGraph& costs);

// The same costs with these atoms bound to the tier; nothing is left to choose.
[[nodiscard]] CostGraph with_state_on(const CostGraph& costs, int tier);

// One cost graph per tier on which all these atoms may run, in the order of the tiers. Throws
// Error(kInfeasible) when there is none.
[[nodiscard]] std::vector<CostGraph> alternatives(const CostGraph& costs);

// What `find` gives for each of them, those that are infeasible left out. Throws the reason of the
// first when all are.
template <typename Find>
[[nodiscard]] auto find_in_each(const CostGraph& costs, Find find) {
  std::vector<decltype(find(std::declval<const Evaluator&>()))> results;
  std::optional<Error> reason;
  for (const CostGraph& pinned : alternatives(costs)) {
    try {
      results.push_back(find(Evaluator(pinned)));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInfeasible) throw;
      if (!reason) reason = error;
    }
  }
  if (results.empty()) throw *reason;
  return results;
}

}  // namespace adamec::plan
