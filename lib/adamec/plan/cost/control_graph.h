#pragma once

#include <vector>

#include "adamec/plan/cost/cost_graph.h"
#include "adamec/plan/cost/routes.h"

namespace adamec::plan {

using Placement = std::vector<int>;  // tier index per atom

// How control moves between tiers while the atoms run one after another.
//
// Control starts on the tier of the model's first input (tier 0 when there is none) and ends on the
// tier of the first output that names one (anywhere when none does). It stops on a tier, runs atoms
// there and moves on; a move pays the latency of every link on its way. Inputs and outputs on other
// tiers than these behave like atoms that cost nothing and are pinned there. What a placement pays
// is the least of all orders of atoms and stops (schedule.h finds it).
//
// Two tiers: atoms run in phases that alternate between the tiers, each atom in the earliest phase
// its inputs allow. The moves are the largest number of tier changes along any path from start() to
// end(). More tiers: the longest such path is a lower bound.
//
// Nodes: the atoms (same indices), then virtual nodes.
class ControlGraph {
 public:
  // The cost graph must outlive this object.
  explicit ControlGraph(const CostGraph& costs);

  struct Edge {
    int from;
    int to;
  };
  // Ordered by `to` in order().
  [[nodiscard]] const std::vector<Edge>& edges() const { return edges_; }
  [[nodiscard]] int node_count() const { return node_count_; }
  [[nodiscard]] int start() const { return start_; }
  [[nodiscard]] int end() const { return end_; }
  [[nodiscard]] const std::vector<int>& order() const { return order_; }  // all nodes, topological
  // Indices into edges() of the edges that lead to / leave a node.
  [[nodiscard]] const std::vector<int>& edges_to(int node) const { return edges_to_[node]; }
  [[nodiscard]] const std::vector<int>& edges_from(int node) const { return edges_from_[node]; }

  [[nodiscard]] int start_tier() const { return start_tier_; }
  [[nodiscard]] int end_tier() const { return end_tier_; }  // -1: anywhere
  // Tier of a virtual node; -1 for atoms and for an end anywhere.
  [[nodiscard]] int fixed_tier(int node) const { return fixed_tier_[node]; }
  [[nodiscard]] bool is_atom(int node) const { return node < atom_count_; }
  [[nodiscard]] int tier_of(int node, const Placement& placement) const {
    return node < atom_count_ ? placement[node] : fixed_tier_[node];
  }
  // Whether control has to stop where the node is: not for its start and end, nor for an input that
  // nothing needs.
  [[nodiscard]] bool needs_stop(int node) const {
    return node != start_ && node != end_ && !edges_from_[node].empty();
  }
  // Whether some input or output is on a different tier than control's start or end.
  [[nodiscard]] bool has_mixed_endpoints() const { return node_count_ > atom_count_ + 2; }

  [[nodiscard]] const TierRoutes& routes() const { return routes_; }
  // Milliseconds of a move; infinite without a way.
  [[nodiscard]] double move_ms(int from, int to) const { return routes_.move_ms(from, to); }
  // What the edge costs when its ends are on these tiers: the move, and the start of a block where
  // an atom is the first of its block.
  [[nodiscard]] double edge_ms(const Edge& edge, int from_tier, int to_tier) const;
  [[nodiscard]] bool has_block_overhead() const { return has_block_overhead_; }
  // Whether phases tell all: two tiers at most, and no block costs anything for its own sake.
  [[nodiscard]] bool is_alternating() const;

  // Two tiers: milliseconds of that many moves, alternating from the start tier; infinite when a
  // link that they need does not exist.
  [[nodiscard]] double handoff_ms(int moves) const;
  // Two tiers: phase of every node under the placement; phases[end()] is the number of moves. No
  // atom on the start tier runs before phase `earliest` (even).
  void phases(const Placement& placement, std::vector<int>& phases, int earliest = 0) const;
  [[nodiscard]] int moves(const Placement& placement) const;
  // The longest path, in milliseconds, from start to end; `edges` (unless null) gets its edges. Of
  // equally long paths one with the most tier changes.
  [[nodiscard]] double longest_path_ms(const Placement& placement, std::vector<int>* edges) const;
  // The longest paths from every node to the end, in milliseconds.
  [[nodiscard]] std::vector<double> tails_ms(const Placement& placement) const;

  // A lower bound of what moves and starts of blocks cost in all placements that keep the pins
  // (tier, or -1 when free).
  [[nodiscard]] double forced_ms(const std::vector<int>& pins) const;

 private:
  void add_edge(int from, int to);
  void add_virtual_nodes();
  void add_inputs();
  void add_outputs();

  const CostGraph& costs_;
  TierRoutes routes_;
  bool has_block_overhead_ = false;
  int atom_count_ = 0;
  int node_count_ = 0;
  int start_ = 0;
  int end_ = 0;
  int start_tier_ = 0;
  int end_tier_ = -1;
  std::vector<Edge> edges_;
  std::vector<std::vector<int>> edges_to_;
  std::vector<std::vector<int>> edges_from_;
  std::vector<int> order_;
  std::vector<int> fixed_tier_;
  std::vector<int> other_inputs_;   // per tier: its virtual node, or -1
  std::vector<int> other_outputs_;  // the same
};

}  // namespace adamec::plan
