#include "adamec/plan/search/bounds.h"
#include "adamec/plan/cost/infinite.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace adamec::plan {
namespace {

constexpr double kNoGain = 1e-12;  // relative; smaller differences are rounding
constexpr int kMaxDoublings = 100;
constexpr int kFittingRounds = 20;

}  // namespace

Bounds::Bounds(const Evaluator& evaluator, std::function<void(const Placement&)> on_placement,
               std::function<bool()> enough)
    : evaluator_(evaluator),
      costs_(evaluator.costs()),
      on_placement_(std::move(on_placement)),
      enough_(std::move(enough)),
      relaxation_(evaluator),
      moves_cost_(evaluator.routes().moves_cost() || evaluator.control().has_block_overhead()) {}

Prices Bounds::initial_prices() const {
  Prices prices;
  prices.per_byte.assign(costs_.tiers.size(), 0);
  if (!moves_cost_) return prices;
  const ControlGraph& control = evaluator_.control();
  prices.path_share.assign(control.edges().size(), 0);
  // The number of edges of the longest path from each node to the end: a shortcut past other atoms
  // changes tiers no more often than the way through them, so it gets no share.
  std::vector<int> height(static_cast<std::size_t>(control.node_count()), 0);
  const auto& order = control.order();
  const auto& edges = control.edges();
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    for (int edge : control.edges_from(*node)) {
      height[*node] = std::max(height[*node], height[edges[edge].to] + 1);
    }
  }
  std::vector<double> inflow(height.size(), 0);
  inflow[control.start()] = 1;
  for (int node : order) {
    const auto& leaving = control.edges_from(node);
    const auto tight = [&](int edge) { return height[edges[edge].to] + 1 == height[node]; };
    const auto count = std::count_if(leaving.begin(), leaving.end(), tight);
    for (int edge : leaving) {
      if (!tight(edge)) continue;
      prices.path_share[edge] = inflow[node] / static_cast<double>(count);
      inflow[edges[edge].to] += prices.path_share[edge];
    }
  }
  return prices;
}

double Bounds::weights_on(const Placement& placement, int tier) const {
  double bytes = 0;
  for (std::size_t i = 0; i < placement.size(); ++i) {
    if (placement[i] == tier) bytes += static_cast<double>(costs_.atoms[i].weight_bytes);
  }
  return bytes;
}

std::vector<double> Bounds::room(const std::vector<int>& pins) const {
  std::vector<double> activation(costs_.tiers.size(), 0);
  for (std::size_t i = 0; i < pins.size(); ++i) {
    if (pins[i] < 0) continue;
    const double bytes = static_cast<double>(costs_.atoms[i].activation_bytes);
    activation[pins[i]] = std::max(activation[pins[i]], bytes);
  }
  for (std::size_t tier = 0; tier < activation.size(); ++tier) {
    const std::uint64_t memory = costs_.tiers[tier].memory_bytes;
    activation[tier] = memory == 0 ? kInfinite : static_cast<double>(memory) - activation[tier];
  }
  return activation;
}

Bounds::Priced Bounds::solve(const std::vector<int>& pins, const Prices& prices) {
  work_ += relaxation_.size();
  Priced result{relaxation_.solve(pins, prices), 0};
  result.bound = result.solution.cost;
  const std::vector<double> rooms = room(pins);
  for (std::size_t tier = 0; tier < rooms.size(); ++tier) {
    if (prices.per_byte[tier] > 0) result.bound -= prices.per_byte[tier] * rooms[tier];
  }
  const bool memory_free = std::none_of(prices.per_byte.begin(), prices.per_byte.end(),
                                        [](double price) { return price > 0; });
  if (memory_free && result.solution.cost >= relaxation_.forbidden_cost()) {
    result.bound = kInfinite;
  }
  on_placement_(result.solution.placement);
  return result;
}

Bounds::Reduced Bounds::reduce(const std::vector<int>& pins, const Prices& prices) {
  const Priced priced = solve(pins, prices);
  return {priced.bound, relaxation_.rest()};
}

void Bounds::keep_better(const Priced& priced, const Prices& prices, Bound& result) const {
  if (!result.placement.empty() && priced.bound <= result.bound) return;
  result.bound = std::max(priced.bound, 0.0);
  result.prices = prices;
  result.placement = priced.solution.placement;
}

// Moves the flow a step towards the path that determines the placement's moves. False when the
// prices already charge the placement all its moves.
bool Bounds::add_critical_path(Prices& prices, const Placement& placement, double step) const {
  if (prices.path_share.empty()) return false;
  const ControlGraph& control = evaluator_.control();
  std::vector<int> path;
  const double longest = control.longest_path_ms(placement, &path);
  if (!std::isfinite(longest)) return false;
  double charged = 0;
  for (std::size_t i = 0; i < prices.path_share.size(); ++i) {
    if (prices.path_share[i] <= 0) continue;
    const ControlGraph::Edge& edge = control.edges()[i];
    charged += prices.path_share[i] * control.edge_ms(edge, control.tier_of(edge.from, placement),
                                                      control.tier_of(edge.to, placement));
  }
  if (longest <= charged * (1 + 1e-9)) return false;
  for (double& share : prices.path_share) share *= 1 - step;
  for (int edge : path) prices.path_share[edge] += step;
  return true;
}

// The best price of memory on one tier, between a price under which the relaxed solution does not
// fit and one under which it does: where the lines of the two solutions meet, until none is below.
void Bounds::tighten_memory(const std::vector<int>& pins, int tier, double room_bytes, int rounds,
                            double cutoff, Bound& result) {
  struct MemoryLine {  // the value of one placement as a function of the price
    double at_zero;
    double bytes;
  };
  Prices prices = result.prices;
  double& price = prices.per_byte[tier];
  MemoryLine low{0, 0};
  MemoryLine high{0, 0};
  bool have_high = false;
  const auto probe = [&] {
    const Priced priced = solve(pins, prices);
    keep_better(priced, prices, result);
    const double bytes = weights_on(priced.solution.placement, tier);
    const bool fits = bytes <= room_bytes;
    if (!fits) result.overfull = priced.solution.placement;
    have_high = have_high || fits;
    (fits ? high : low) = {priced.solution.cost - price * bytes, bytes};
    return priced.solution.cost;
  };
  probe();
  const auto done = [&] { return result.bound >= cutoff || enough_(); };
  for (int i = 0; i < kMaxDoublings && !have_high && !done(); ++i) {
    price = price > 0 ? price * 4 : (low.at_zero + 1e-6) / low.bytes * 0.25;
    probe();
  }
  for (int i = 0; i < rounds && have_high && low.bytes > 0 && !done(); ++i) {
    price = (high.at_zero - low.at_zero) / (low.bytes - high.bytes);
    if (!(price > 0) || !std::isfinite(price)) return;
    const double line = low.at_zero + price * low.bytes;
    if (probe() >= line * (1 - kNoGain)) return;
  }
}

void Bounds::propose_fitting(const std::vector<int>& pins, const Prices& prices) {
  std::uint64_t activation = 0;
  for (const AtomCost& atom : costs_.atoms) {
    activation = std::max(activation, atom.activation_bytes);
  }
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    const std::uint64_t memory = costs_.tiers[tier].memory_bytes;
    if (memory == 0 || memory <= activation) continue;
    Bound ignored;
    ignored.prices = prices;
    tighten_memory(pins, tier, static_cast<double>(memory - activation), kFittingRounds, kInfinite,
                   ignored);
  }
}

Bounds::Bound Bounds::tighten(const std::vector<int>& pins, const Prices& start, int rounds,
                              double cutoff) {
  Bound result;
  const std::vector<double> rooms = room(pins);
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    if (weights_on(pins, tier) > rooms[tier]) {
      result.bound = kInfinite;
      return result;
    }
  }
  Prices prices = start;
  for (int round = 0; round < rounds; ++round) {
    const Priced priced = solve(pins, prices);
    keep_better(priced, prices, result);
    if (result.bound >= cutoff) return result;
    for (int tier = 0; tier < costs_.tier_count(); ++tier) {
      if (weights_on(priced.solution.placement, tier) <= rooms[tier]) continue;
      result.overfull = priced.solution.placement;
      tighten_memory(pins, tier, rooms[tier], rounds, cutoff, result);
      prices.per_byte = result.prices.per_byte;
      if (result.bound >= cutoff) return result;
    }
    if (enough_()) break;
    if (!add_critical_path(prices, priced.solution.placement, 1.0 / (round + 2))) break;
  }
  Prices free_moves = result.prices;
  free_moves.path_share.clear();
  const Priced free = solve(pins, free_moves);
  keep_better(free, result.prices, result);
  result.free_moves_bound = std::max(free.bound, 0.0);
  result.free_placement = free.solution.placement;
  return result;
}

}  // namespace adamec::plan
