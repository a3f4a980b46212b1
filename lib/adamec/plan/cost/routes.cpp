#include "adamec/plan/cost/routes.h"
#include "adamec/plan/cost/infinite.h"

#include <limits>
#include <utility>

namespace adamec::plan {
namespace {

double route_cost(const Link& link) {
  return link.route_cost_per_byte.value_or(link.cost_per_byte());
}

}  // namespace

TierRoutes::TierRoutes(const CostGraph& costs) : costs_(costs), tiers_(costs.tier_count()) {
  for (const auto& link : costs.links) moves_cost_ = moves_cost_ || (link && link->latency_ms > 0);
  const std::size_t pairs = costs.links.size();
  routes_.resize(pairs);
  ms_per_byte_.assign(pairs, kInfinite);
  move_ms_.assign(pairs, kInfinite);
  move_hops_.assign(pairs, 0);
  move_next_.assign(pairs, -1);
  find_routes(costs);
  find_moves(costs);
}

// For every tier: direct links first, then the nearest of the others one by one.
void TierRoutes::find_routes(const CostGraph& costs) {
  for (int from = 0; from < tiers_; ++from) {
    ms_per_byte_[index(from, from)] = 0;
    std::vector<char> done(static_cast<std::size_t>(tiers_), 0);
    std::vector<double> length(static_cast<std::size_t>(tiers_), 0);  // what routes are chosen by
    done[from] = 1;
    for (int to = 0; to < tiers_; ++to) {
      const auto& link = costs.link(from, to);
      if (!link) continue;
      routes_[index(from, to)] = {{from, to}};
      ms_per_byte_[index(from, to)] = link->cost_per_byte();
      length[to] = route_cost(*link);
      done[to] = 1;
    }
    for (;;) {
      std::pair<double, std::size_t> best{kInfinite, 0};
      int via = -1;
      int target = -1;
      for (int to = 0; to < tiers_; ++to) {
        if (done[to]) continue;
        for (int last = 0; last < tiers_; ++last) {
          const auto& link = costs.link(last, to);
          if (!link || !done[last] || last == from) continue;
          const std::pair<double, std::size_t> way{length[last] + route_cost(*link),
                                                   route(from, last).size()};
          if (way >= best) continue;
          best = way;
          via = last;
          target = to;
        }
      }
      if (target < 0) break;
      done[target] = 1;
      length[target] = best.first;
      ms_per_byte_[index(from, target)] =
          ms_per_byte(from, via) + costs.link(via, target)->cost_per_byte();
      routes_[index(from, target)] = route(from, via);
      routes_[index(from, target)].push_back({via, target});
    }
  }
}

void TierRoutes::find_moves(const CostGraph& costs) {
  for (int from = 0; from < tiers_; ++from) {
    move_ms_[index(from, from)] = 0;
    for (int to = 0; to < tiers_; ++to) {
      const auto& link = costs.link(from, to);
      if (!link) continue;
      move_ms_[index(from, to)] = link->latency_ms;
      move_hops_[index(from, to)] = 1;
      move_next_[index(from, to)] = to;
    }
  }
  for (int via = 0; via < tiers_; ++via) {
    for (int from = 0; from < tiers_; ++from) {
      for (int to = 0; to < tiers_; ++to) {
        if (from == to || via == from || via == to) continue;
        const double ms = move_ms(from, via) + move_ms(via, to);
        if (ms == kInfinite) continue;
        const int hops = move_hops(from, via) + move_hops(via, to);
        if (std::pair(ms, hops) >= std::pair(move_ms(from, to), move_hops(from, to))) continue;
        move_ms_[index(from, to)] = ms;
        move_hops_[index(from, to)] = hops;
        move_next_[index(from, to)] = move_next(from, via);
      }
    }
  }
}

TierSet TierRoutes::arrived(int home, TierSet needed) const {
  TierSet result = TierSet{1} << home;
  for_each_hop(home, needed, [&](const Hop& hop) { result |= TierSet{1} << hop.to; });
  return result;
}

double TierRoutes::transfer_ms(int home, TierSet needed, std::uint64_t bytes) const {
  double total = 0;
  for (int tier = 0; tier < tiers_; ++tier) {
    if ((needed >> tier & 1) && !reachable(home, tier)) return kInfinite;
  }
  for_each_hop(home, needed,
               [&](const Hop& hop) { total += costs_.link(hop.from, hop.to)->transfer_ms(bytes); });
  return total;
}

}  // namespace adamec::plan
