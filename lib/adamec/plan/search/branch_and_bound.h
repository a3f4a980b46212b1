#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adamec/plan/cost/evaluate.h"
#include "adamec/plan/search/equal_cost.h"

namespace adamec::plan {

struct Plan {
  Placement placement;
  Evaluation evaluation;
  double lower_bound_ms = 0;  // no plan is faster
  double gap = 0;             // (latency - lower bound) / latency; 0: proven optimal
};

struct SearchLimits {
  // Cuts times the size of their network (nodes and arcs). The same on every machine, so that the
  // same input gives the same plan.
  std::int64_t work = 20'000'000;
  // Asked between cuts; the search stops when it returns true. Empty: never.
  std::function<bool()> stop;
};

// The fastest placement on one or two tiers that respects allowed tiers, links and memory.
//
// Branch and bound: the bound of a node is a minimum cut under its pins (Relaxation) with prices
// for moves and memory, or the same cut without prices plus the moves that the pins force.
// Branching: a chain of atoms determines the number of moves of a relaxed solution; every plan
// either keeps all of them where they are, or differs first at one of them. A second stage takes,
// of the placements that cost as much (kProofTolerance), the one with the fewest blocks, then
// moves: exactly for small graphs, within a part of the first stage's work for large ones. When
// the limits end the search early, the best plan found is returned with an honest bound.
//
// Throws Error(kInfeasible), naming the constraint and by how much, when no plan exists (or none
// was found within the limits, and says so).
[[nodiscard]] Plan find_optimal(const Evaluator& evaluator, const SearchLimits& limits = {});

// The same with a different goal: the placement of least `score` whose `limited` costs keep to
// their limits. The search runs on the evaluator's costs, which are the score plus price times what
// each limit's costs exceed it (blend() in objective.h makes them): never more than the score of a
// placement that keeps the limits. `lower_bound_ms` and `gap` are in units of the score.
struct Limit {
  const Evaluator* costs;
  double at_most;
  double price;
  std::string what;  // for messages: "deadline"
};
struct Goal {
  const Evaluator* score;
  std::vector<Limit> limits;
  // Counts the blocks and moves by which placements of equal score are told apart; null: whichever
  // is found.
  const Evaluator* executed = nullptr;
};
struct Optimum {
  Placement placement;
  double cost;  // of the goal's score
  double lower_bound;
};
[[nodiscard]] Optimum find_best(const Evaluator& evaluator, const Goal& goal,
                                const SearchLimits& limits = {});

// A plan from a placement that something else chose.
[[nodiscard]] Plan score_plan(const Evaluator& evaluator, Placement placement,
                              double lower_bound_ms);

}  // namespace adamec::plan
