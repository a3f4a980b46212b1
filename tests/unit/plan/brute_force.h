#pragma once

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "adamec/v1/costs.pb.h"

namespace adamec::testing {

// A random two-tier cost graph of at most `max_atoms` atoms: several consumers and outputs per
// atom, inputs and results on either tier, links with and without latency, restricted atoms, in a
// part of them memory limits or a missing link.
v1::CostGraph random_cost_graph(std::mt19937& random, int max_atoms);

// An evaluator written apart from the planner, straight from the definition and from the message:
// it simulates a run instead of looking for paths.
class Simulator {
 public:
  explicit Simulator(const v1::CostGraph& message);

  static constexpr double kImpossible = std::numeric_limits<double>::infinity();

  // Milliseconds of the placement (bit i: tier of atom i); kImpossible when an atom may not run
  // there, memory does not suffice or a link is missing.
  double latency_ms(std::uint32_t placement) const;
  // The fastest of all placements.
  double best_ms() const;
  // Fewest moves of any schedule, by search over all orders of atoms and moves.
  int fewest_moves_by_search(std::uint32_t placement) const;
  // Fewest blocks of any schedule of fewest moves, by the same search.
  int fewest_blocks_by_search(std::uint32_t placement) const;
  // Moves when everything that can run does run before control moves on.
  int moves(std::uint32_t placement) const;

  // Whether inputs or results are on other tiers than control's start and end.
  bool has_mixed_endpoints() const;

 private:
  struct Task {  // an atom, or an input or result away from where control starts and ends
    int fixed_tier = -1;
    std::uint32_t before = 0;  // tasks that must have run
  };
  int tier_of(std::size_t task, std::uint32_t placement) const;

  int atoms() const { return message_.atoms_size(); }

  const v1::CostGraph& message_;
  std::vector<Task> tasks_;
  int start_tier_ = 0;
  int end_tier_ = -1;
};

}  // namespace adamec::testing
