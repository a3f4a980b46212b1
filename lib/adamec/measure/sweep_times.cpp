#include "adamec/measure/sweep_times.h"

#include <algorithm>

#include "adamec/measure/expected_time.h"
#include "adamec/measure/protocol.h"

namespace adamec::measure {
namespace {

// Times as many visits, at most, where the time has not settled, or the mean is not known.
constexpr unsigned kUntilSettled = 3;
// The same for means of blocks and models: atoms' errors cancel out in sums, theirs do not.
constexpr unsigned kUntilSettledWhole = 12;
constexpr double kAgreement = 1.03;     // ratio of the times of two sweeps that agree
constexpr double kLargestError = 0.03;  // standard error of the mean where contention is measured

}  // namespace

bool SweepTimes::settled(const v1::Context& context) const {
  if (!is_unloaded(context)) return series.relative_error() <= kLargestError;
  if (steady.size() < 2) return false;
  std::vector<double> least = steady;
  std::nth_element(least.begin(), least.begin() + 1, least.end());
  return least[1] <= kAgreement * least[0];
}

unsigned most_visits(unsigned visits, bool whole, const v1::Context& context) {
  const unsigned times = whole && !is_unloaded(context) ? kUntilSettledWhole : kUntilSettled;
  return std::min(kMostVisits, times * visits);
}

}  // namespace adamec::measure
