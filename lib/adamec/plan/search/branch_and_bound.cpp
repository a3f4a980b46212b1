#include "adamec/plan/search/branch_and_bound.h"

#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/plan/search/search.h"
#include "adamec/plan/search/shared_state.h"

namespace adamec::plan {

Plan score_plan(const Evaluator& evaluator, Placement placement, double lower_bound_ms) {
  Plan plan;
  plan.evaluation = evaluator.evaluate(placement);
  plan.placement = std::move(placement);
  const double latency = plan.evaluation.latency_ms;
  plan.lower_bound_ms =
      lower_bound_ms >= latency * (1 - kProofTolerance) ? latency : lower_bound_ms;
  if (latency > plan.lower_bound_ms) plan.gap = (latency - plan.lower_bound_ms) / latency;
  return plan;
}

Plan find_optimal(const Evaluator& evaluator, const SearchLimits& limits) {
  const CostGraph& costs = evaluator.costs();
  if (has_alternatives(costs)) {
    const auto plans =
        find_in_each(costs, [&](const Evaluator& pinned) { return find_optimal(pinned, limits); });
    const auto bound = [](const Plan& a, const Plan& b) {
      return a.lower_bound_ms < b.lower_bound_ms;
    };
    const Plan& best = simplest(
        plans, [](const Plan& plan) { return plan.evaluation.latency_ms; },
        [](const Plan& plan) { return plan.evaluation.size(); });
    return score_plan(evaluator, best.placement,
                      std::min_element(plans.begin(), plans.end(), bound)->lower_bound_ms);
  }
  if (costs.tier_count() == 1) {
    Plan plan = score_plan(evaluator, Placement(costs.atoms.size(), 0), 0);
    if (!plan.evaluation.feasible()) {
      fail_with(ErrorKind::kInfeasible, "{}: {}", costs.source, plan.evaluation.infeasible);
    }
    return score_plan(evaluator, plan.placement, plan.evaluation.latency_ms);
  }
  Optimum found = find_best(evaluator, {&evaluator, {}, &evaluator}, limits);
  return score_plan(evaluator, std::move(found.placement), found.lower_bound);
}

Optimum find_best(const Evaluator& evaluator, const Goal& goal, const SearchLimits& limits) {
  return Search(evaluator, goal, limits).run();
}

}  // namespace adamec::plan
