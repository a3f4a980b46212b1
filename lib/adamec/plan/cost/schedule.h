#pragma once

#include <vector>

#include "adamec/plan/cost/control_graph.h"

namespace adamec::plan {

// Where control stops, in order, and what runs there (nodes of the control graph).
struct Stop {
  int tier;
  std::vector<int> nodes;  // in an order that may run
};

// An order of stops and atoms for a placement.
struct Schedule {
  double handoff_ms = 0;   // latency of all moves; infinite when a link is missing
  double overhead_ms = 0;  // of the blocks: one for every stop that runs an atom
  int moves = 0;           // links that control passes
  std::vector<Stop> stops;

  [[nodiscard]] double total_ms() const { return handoff_ms + overhead_ms; }
};

// The cheapest schedule. At every stop all that can run does run (doing less never helps,
// except that a stop for inputs and results alone starts no block); which tier
// comes next is a search. Two tiers without block overheads: the phases. Otherwise stops are chosen
// along the longest path; where that costs more than the path itself, a best-first search over the
// sets of finished atoms, grouped into at most 64 groups that always run together, finds the least.
// Placements with more groups, or more than kMaxStates sets, keep the schedule along the longest
// paths.
[[nodiscard]] Schedule cheapest_schedule(const ControlGraph& control, const CostGraph& costs,
                                         const Placement& placement);

inline constexpr std::size_t kMaxStates = 20'000;

}  // namespace adamec::plan
