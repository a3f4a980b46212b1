#pragma once

#include <vector>

#include "adamec/plan/cost/routes.h"

namespace adamec::plan {

// The tiers in a row, with costs per hop between neighbours: what minimum cuts understand.
//
// Where the links form a row already (two tiers, or a chain device - edge - cloud), the hops are
// the links and the costs are exact. Any other tier graph is squeezed into a row so that no
// transfer and no move costs more in the row than in truth: minima in the row are lower bounds. Of
// all rows (up to six tiers) the one that keeps most of the true costs is taken.
struct TierLine {
  TierLine(const CostGraph& costs, const TierRoutes& routes);

  std::vector<int> tiers;     // tier index per position
  std::vector<int> position;  // per tier
  bool exact = false;
  // Per hop between positions b and b + 1; infinite where nothing may pass.
  std::vector<double> up_ms_per_byte;
  std::vector<double> down_ms_per_byte;
  std::vector<double> up_move_ms;
  std::vector<double> down_move_ms;

  [[nodiscard]] int hops() const { return static_cast<int>(up_move_ms.size()); }
};

}  // namespace adamec::plan
