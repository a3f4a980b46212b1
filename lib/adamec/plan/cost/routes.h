#pragma once

#include <cstdint>
#include <vector>

#include "adamec/plan/cost/cost_graph.h"

namespace adamec::plan {

using TierSet = std::uint64_t;  // bit t: tier t

// The ways between tiers.
//
// Tensors take the direct link where there is one. Another tier gets them hop by hop, from the tier
// that passes them on at the least time per byte in total (then with the fewest links): the routes
// from one tier form a tree. A tensor that several tiers need is sent over every link of that tree
// at most once. Control takes the path of the least latency.
class TierRoutes {
 public:
  // The cost graph must outlive this object.
  explicit TierRoutes(const CostGraph& costs);

  struct Hop {
    int from;
    int to;
  };
  // The hops of a tensor's route; empty when there is none or from == to.
  [[nodiscard]] const std::vector<Hop>& route(int from, int to) const {
    return routes_[index(from, to)];
  }
  [[nodiscard]] bool reachable(int from, int to) const {
    return from == to || !route(from, to).empty();
  }
  // Milliseconds of a byte on its route; infinite without one.
  [[nodiscard]] double ms_per_byte(int from, int to) const { return ms_per_byte_[index(from, to)]; }
  // Calls on_hop(Hop) for every link that carries a tensor from its home to the tiers that need it.
  template <typename OnHop>
  void for_each_hop(int home, TierSet needed, OnHop on_hop) const {
    TierSet arrived = TierSet{1} << home;
    for (int tier = 0; tier < tiers_ && needed >> tier != 0; ++tier) {
      if (!(needed >> tier & 1)) continue;
      for (const Hop& hop : route(home, tier)) {
        if (arrived >> hop.to & 1) continue;
        arrived |= TierSet{1} << hop.to;
        on_hop(hop);
      }
    }
  }
  // The tiers on which a tensor lies when `needed` tiers have got it: those on the way included.
  [[nodiscard]] TierSet arrived(int home, TierSet needed) const;
  // Milliseconds that the tensor is under way; infinite without a route.
  [[nodiscard]] double transfer_ms(int home, TierSet needed, std::uint64_t bytes) const;

  // Least latency of control's way; 0 when from == to, infinite without a way.
  [[nodiscard]] double move_ms(int from, int to) const { return move_ms_[index(from, to)]; }
  [[nodiscard]] int move_hops(int from, int to) const { return move_hops_[index(from, to)]; }
  // The first hop of that way.
  [[nodiscard]] int move_next(int from, int to) const { return move_next_[index(from, to)]; }
  [[nodiscard]] bool moves_cost() const { return moves_cost_; }  // whether any link has a latency

 private:
  std::size_t index(int from, int to) const {
    return static_cast<std::size_t>(from) * static_cast<std::size_t>(tiers_) +
           static_cast<std::size_t>(to);
  }
  void find_routes(const CostGraph& costs);
  void find_moves(const CostGraph& costs);

  const CostGraph& costs_;
  int tiers_;
  bool moves_cost_ = false;
  std::vector<std::vector<Hop>> routes_;
  std::vector<double> ms_per_byte_;
  std::vector<double> move_ms_;
  std::vector<int> move_hops_;
  std::vector<int> move_next_;
};

}  // namespace adamec::plan
