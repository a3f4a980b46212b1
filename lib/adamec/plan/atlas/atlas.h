#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "adamec/plan/atlas/parametric_cost.h"
#include "adamec/plan/search/branch_and_bound.h"

namespace adamec::plan {

struct Interval {
  double low = 0;
  double high = 0;
};

struct AtlasPlan {
  Placement placement;
  std::vector<double> features;             // AtlasModel
  std::vector<std::uint64_t> memory_bytes;  // per tier
  std::vector<Interval> where;              // per range: it is best nowhere outside
};

// Along one parameter: the best plan between two of its values.
struct AtlasRegion {
  double low = 0;
  double high = 0;
  int plan = 0;
};

// The plans that are optimal somewhere in the ranges. At any point of them, the best of the plans
// (that fit into memory) is at most 1 + gap times as slow as the optimum there; 0: proven optimal.
// With state, the optimum of all plans that keep it on `state_tier`: on a different tier others may
// be faster somewhere in the ranges.
struct Atlas {
  std::vector<AtlasPlan> plans;
  std::vector<AtlasRegion> regions;  // ascending, without gaps; only with one range, not of memory
  double gap = 0;
  double fits_from_bytes = 0;  // range of memory: no plan is known to fit into less; 0: all fit
  std::int64_t searches = 0;   // single plans that were searched
  int state_tier = -1;         // where all plans keep the model's state; -1: it has none
};

struct AtlasLimits {
  SearchLimits search;           // of every single plan
  std::int64_t searches = 5000;  // then the atlas ends with a larger gap
};

// Latency of a fixed plan is linear in the coordinates of AtlasModel, so the optimum over all plans
// is their lower envelope: concave and piecewise linear. It is built from single plans: search one
// at a vertex of the envelope of those known so far; either it is better, and cuts the vertex off,
// or the vertex is proven. When all vertices are, so is everything between them, because the
// optimum is concave (Eisner and Severance, J. ACM 23, 1976, for one parameter; Benson's outer
// approximation for several). A vertex with a gap bounds the gap around it. Loads are split at
// their knots; memory is split where a plan stops fitting, into at most 64 steps with the gap
// between them.
//
// State does not move at run time, so all plans keep it on one tier: where it is in the best plan
// for the costs as given.
//
// Throws Error(kInfeasible) when there is no plan even with the most memory.
[[nodiscard]] Atlas make_atlas(const CostGraph& costs, const AtlasRanges& ranges,
                               const AtlasLimits& limits = {});

}  // namespace adamec::plan
