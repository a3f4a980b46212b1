#pragma once

#include <vector>

#include "adamec/plan/cost_graph.h"

namespace adamec::plan {

using Placement = std::vector<int>;  // tier index per atom

// How control moves between two tiers while the atoms run one after another.
//
// Control starts on the tier of the model's first input (tier 0 when there is none) and ends on the
// tier of the first output that names one (anywhere when none does). Atoms run in phases that
// alternate between the tiers; each atom runs in the earliest phase its inputs allow. Inputs and
// outputs on other tiers than these behave like atoms that cost nothing and are pinned there.
//
// Nodes: the atoms (same indices), then virtual nodes. The moves of a placement are the largest
// number of tier changes along any path from start() to end().
class ControlGraph {
 public:
  // The cost graph has one or two tiers; it must outlive this object.
  explicit ControlGraph(const CostGraph& costs);

  struct Edge {
    int from;
    int to;
  };
  // Ordered by `to` in order().
  const std::vector<Edge>& edges() const { return edges_; }
  int node_count() const { return node_count_; }
  int start() const { return start_; }
  int end() const { return end_; }
  const std::vector<int>& order() const { return order_; }  // all nodes, topological
  // Indices into edges() of the edges that lead to / leave a node.
  const std::vector<int>& edges_to(int node) const { return edges_to_[node]; }
  const std::vector<int>& edges_from(int node) const { return edges_from_[node]; }

  int start_tier() const { return start_tier_; }
  int end_tier() const { return end_tier_; }  // -1: anywhere
  // Tier of a virtual node; -1 for atoms and for an end anywhere.
  int fixed_tier(int node) const { return fixed_tier_[node]; }
  // Whether some input or output is on another tier than control's start or end.
  bool has_mixed_endpoints() const { return node_count_ > atom_count_ + 2; }

  // Milliseconds of that many moves, alternating from the start tier; infinite when a link that
  // they need does not exist.
  double handoff_ms(int moves) const;
  // Milliseconds of one move; infinite without link.
  double move_ms(int from, int to) const;

  // Phase of every node under the placement; phases[end()] is the number of moves.
  void phases(const Placement& placement, std::vector<int>& phases) const;
  int moves(const Placement& placement) const;
  // Edges of a path from start to end with as many tier changes as there are moves.
  std::vector<int> critical_path(const Placement& placement, const std::vector<int>& phases) const;

  // A lower bound of the moves of all placements that keep the pins (tier, or -1 when free).
  int forced_moves(const std::vector<int>& pins) const;

 private:
  int tier_of(int node, const Placement& placement) const {
    const int fixed = fixed_tier_[node];
    return node < atom_count_ ? placement[node] : fixed;
  }
  void add_edge(int from, int to);

  const CostGraph& costs_;
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
};

}  // namespace adamec::plan
