#pragma once

#include <vector>

#include "adamec/measure/series.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

// What the sweeps of a campaign found of one item in one context.
struct SweepTimes {
  Series series;
  std::vector<double> steady;  // Series::steady_steps of each sweep

  // Whether two sweeps saw about the same time, within 3 %: what both saw was undisturbed. Where
  // the disturbance is what is measured: whether its mean is known within a standard error of 3 %.
  [[nodiscard]] bool settled(const v1::Context& context) const;
};

// How many visits may be made until the times have settled, where `visits` were asked for; `whole`:
// of a block or model.
[[nodiscard]] unsigned most_visits(unsigned visits, bool whole, const v1::Context& context);

}  // namespace adamec::measure
