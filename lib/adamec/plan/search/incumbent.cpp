#include "adamec/plan/search/incumbent.h"

#include <cassert>

#include "adamec/base/error.h"

namespace adamec::plan {

double Incumbent::cutoff() const {
  // In the second stage what costs exactly as much is wanted, be it nothing.
  return prefer_small_ ? equal_cost_ + std::numeric_limits<double>::min()
                       : cost_ * (1 - kProofTolerance);
}

void Incumbent::prefer_small() {
  assert(found() && goal_.executed != nullptr);
  prefer_small_ = true;
  equal_cost_ = equal_cost_limit(cost_);
  size_ = goal_.executed->size(placement_);
}

void Incumbent::consider(const Placement& placement) {
  if (!evaluator_.allowed(placement)) return;
  const double cost = goal_.score->cost(placement);
  if (prefer_small_ ? cost > equal_cost_ : cost >= cost_) return;
  for (const Limit& limit : goal_.limits) {
    const double over = limit.costs->cost(placement) - limit.at_most;
    if (over <= limit.at_most * kProofTolerance) continue;
    if (over >= least_over_) return;
    least_over_ = over;
    over_what_ = limit.what;
    return;
  }
  const auto used = evaluator_.memory_bytes(placement);
  std::uint64_t excess = 0;
  for (int tier = 0; tier < evaluator_.costs().tier_count(); ++tier) {
    excess += evaluator_.excess_bytes(tier, used[tier]);
  }
  if (excess == 0) {
    if (prefer_small_) {
      const PlanSize size = goal_.executed->size(placement);
      if (!(size < size_)) return;
      size_ = size;
    }
    cost_ = cost;
    placement_ = placement;
  } else if (excess < least_excess_) {
    least_excess_ = excess;
    closest_ = evaluator_.evaluate(placement).infeasible;
  }
}

void Incumbent::report_infeasible(bool exhausted) const {
  const std::string& source = evaluator_.costs().source;
  const char* how = exhausted ? "no placement can run" : "no placement was found within the limits";
  if (!over_what_.empty()) {
    fail_with(ErrorKind::kInfeasible, "{}: {}: the closest exceeds the {} by {:.6g}", source, how,
              over_what_, least_over_);
  }
  if (!closest_.empty()) {
    fail_with(ErrorKind::kInfeasible, "{}: {}: in the closest, {}", source, how, closest_);
  }
  fail_with(ErrorKind::kInfeasible, "{}: {}: tensors or control cannot reach a tier without a link",
            source, how);
}

}  // namespace adamec::plan
