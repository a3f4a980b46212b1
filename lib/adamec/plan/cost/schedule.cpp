#include "adamec/plan/cost/schedule.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <queue>
#include <unordered_map>

namespace adamec::plan {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kSlack = 1e-12;  // relative; smaller differences are rounding

// Runs nodes stop by stop.
class Simulation {
 public:
  Simulation(const ControlGraph& control, const CostGraph& costs, const Placement& placement)
      : control_(control),
        costs_(costs),
        placement_(placement),
        waiting_for_(static_cast<std::size_t>(control.node_count())),
        ready_(costs.tiers.size()),
        at_(control.start_tier()) {
    for (int node : control.order()) {
      waiting_for_[node] = static_cast<int>(control.edges_to(node).size());
    }
    for (int node : control.order()) left_ += control.needs_stop(node) ? 1 : 0;
    finish(control.start());
  }

  bool done() const { return left_ == 0; }
  const std::vector<int>& ready(int tier) const { return ready_[tier]; }

  // Moves there and runs all that can run; without `work` atoms wait for another stop.
  void stop_at(int tier, bool work = true) {
    move_to(tier);
    Stop stop{tier, {}};
    bool works = false;
    auto& ready = ready_[tier];
    std::vector<int> waiting;
    for (std::size_t i = 0; i < ready.size(); ++i) {  // grows while it runs
      const int node = ready[i];
      const bool atom = control_.is_atom(node);
      if (atom && !work) {
        waiting.push_back(node);
        continue;
      }
      stop.nodes.push_back(node);
      works = works || atom;
      finish(node);
    }
    ready = std::move(waiting);
    if (works) walk_.overhead_ms += costs_.tiers[tier].block_overhead_ms;
    walk_.stops.push_back(std::move(stop));
  }

  Walk finish_walk() {
    if (control_.end_tier() >= 0) move_to(control_.end_tier());
    return std::move(walk_);
  }

 private:
  void finish(int node) {
    if (node != control_.start()) --left_;
    for (int edge : control_.edges_from(node)) {
      const int to = control_.edges()[edge].to;
      if (--waiting_for_[to] > 0 || !control_.needs_stop(to)) continue;
      ready_[control_.tier_of(to, placement_)].push_back(to);
    }
  }

  void move_to(int tier) {
    if (tier == at_) return;
    walk_.handoff_ms += control_.move_ms(at_, tier);
    walk_.moves += control_.routes().move_hops(at_, tier);
    at_ = tier;
  }

  const ControlGraph& control_;
  const CostGraph& costs_;
  const Placement& placement_;
  std::vector<int> waiting_for_;         // per node: predecessors that have not run
  std::vector<std::vector<int>> ready_;  // per tier
  int at_;
  int left_ = 0;
  Walk walk_;
};

// Goes where the longest rest of the way begins.
Walk walk_along_tails(const ControlGraph& control, const CostGraph& costs,
                      const Placement& placement, const std::vector<double>& tails) {
  Simulation simulation(control, costs, placement);
  if (!simulation.ready(control.start_tier()).empty()) simulation.stop_at(control.start_tier());
  while (!simulation.done()) {
    int best = -1;
    double longest = -1;
    for (int tier = 0; tier < costs.tier_count(); ++tier) {
      for (int node : simulation.ready(tier)) {
        if (tails[node] <= longest) continue;
        longest = tails[node];
        best = tier;
      }
    }
    simulation.stop_at(best);
  }
  return simulation.finish_walk();
}

// Best-first search over sets of finished groups.
class WalkSearch {
 public:
  WalkSearch(const ControlGraph& control, const CostGraph& costs, const Placement& placement,
             const std::vector<double>& tails)
      : control_(control), costs_(costs), placement_(placement), tails_(tails) {}

  struct Visit {
    int tier;
    bool work;  // whether atoms run
  };
  // The stops of the cheapest walk that costs less than `limit`; empty: none found.
  std::vector<Visit> stops(double limit) {
    if (!make_groups()) return {};
    find(limit);
    return std::move(stops_);
  }

 private:
  using Mask = std::uint64_t;
  struct Group {
    int tier;
    bool works = false;  // whether it holds an atom
    Mask before = 0;     // all groups that must have run, directly or not
    double tail = 0;
  };
  struct State {
    Mask done;
    int tier;
    bool operator==(const State& other) const { return done == other.done && tier == other.tier; }
  };
  struct Hash {
    std::size_t operator()(const State& state) const {
      return static_cast<std::size_t>((state.done * 64 + state.tier) * 0x9e3779b97f4a7c15u >> 7);
    }
  };
  struct Reached {
    double cost = kInfinite;
    State from{0, -1};
    bool work = true;
    bool closed = false;
  };
  struct Entry {
    double estimate;
    std::size_t number;
    State state;
    double cost;
    bool operator<(const Entry& other) const {
      return estimate != other.estimate ? estimate > other.estimate : number > other.number;
    }
  };

  bool make_groups();
  void find(double limit);
  double estimate(const State& state) const;
  std::pair<State, double> stop(const State& state, int tier, bool work) const;

  const ControlGraph& control_;
  const CostGraph& costs_;
  const Placement& placement_;
  const std::vector<double>& tails_;
  std::vector<Group> groups_;
  std::vector<Visit> stops_;
};

// A node joins the group it waits for when that is only one and on its own tier.
bool WalkSearch::make_groups() {
  std::vector<int> group_of(static_cast<std::size_t>(control_.node_count()), -1);
  std::map<std::pair<int, Mask>, int> by_before;
  for (int node : control_.order()) {
    if (node != control_.start() && !control_.needs_stop(node)) continue;
    Mask before = 0;
    Mask direct = 0;
    for (int edge : control_.edges_to(node)) {
      const int from = group_of[control_.edges()[edge].from];
      direct |= Mask{1} << from;
      before |= Mask{1} << from | groups_[from].before;
    }
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (direct >> i & 1) direct &= ~groups_[i].before;
    }
    const int tier = control_.tier_of(node, placement_);
    int& group = group_of[node];
    if (direct != 0 && (direct & (direct - 1)) == 0) {
      const int only = std::countr_zero(direct);
      const bool starts_block = control_.has_block_overhead() && !groups_[only].works;
      if (groups_[only].tier == tier && !starts_block) group = only;
    }
    const bool atom = control_.is_atom(node);
    if (group < 0) {
      const auto [at, inserted] =
          by_before.emplace(std::pair(atom ? tier : ~tier, before), groups_.size());
      if (inserted && groups_.size() == 64) return false;
      if (inserted) groups_.push_back({tier, atom, before, 0});
      group = at->second;
    }
    groups_[group].tail = std::max(groups_[group].tail, tails_[node]);
  }
  return true;
}

double WalkSearch::estimate(const State& state) const {
  double rest = control_.end_tier() < 0 ? 0 : control_.move_ms(state.tier, control_.end_tier());
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (state.done >> i & 1) continue;
    const Group& group = groups_[i];
    const double move = state.tier == group.tier ? 0 : control_.move_ms(state.tier, group.tier);
    rest = std::max(rest, move + group.tail);
  }
  return rest;
}

// The state and the cost after a stop on the tier; the same state when nothing can run there.
std::pair<WalkSearch::State, double> WalkSearch::stop(const State& state, int tier,
                                                      bool work) const {
  State next{state.done, tier};
  bool works = false;
  for (std::size_t i = 0; i < groups_.size(); ++i) {  // groups are in topological order
    const Group& group = groups_[i];
    if ((next.done >> i & 1) || group.tier != tier || (group.before & ~next.done) != 0) continue;
    if (group.works && !work) continue;
    next.done |= Mask{1} << i;
    works = works || group.works;
  }
  double cost = state.tier == tier ? 0 : control_.move_ms(state.tier, tier);
  if (works) cost += costs_.tiers[tier].block_overhead_ms;
  return {next, cost};
}

void WalkSearch::find(double limit) {
  const Mask all = groups_.size() == 64 ? ~Mask{0} : (Mask{1} << groups_.size()) - 1;
  std::unordered_map<State, Reached, Hash> reached;
  std::priority_queue<Entry> open;
  const State first{1, control_.start_tier()};  // the group of the control graph's start
  reached[first].cost = 0;
  open.push({estimate(first), 0, first, 0});
  while (!open.empty() && reached.size() < kMaxStates) {
    const Entry entry = open.top();
    open.pop();
    if (entry.estimate >= limit) return;
    Reached& here = reached[entry.state];
    if (here.closed) continue;
    here.closed = true;
    if (entry.state.done == all) {
      for (State at = entry.state; !(at == first); at = reached[at].from) {
        stops_.push_back({at.tier, reached[at].work});
      }
      std::reverse(stops_.begin(), stops_.end());
      return;
    }
    for (int action = 0; action < 2 * costs_.tier_count(); ++action) {
      // Where blocks cost something, a stop may be for inputs and results alone.
      const bool work = action % 2 == 0;
      if (!work && !control_.has_block_overhead()) continue;
      const auto [next, cost] = stop(entry.state, action / 2, work);
      if (next.done == entry.state.done) continue;
      Reached& there = reached[next];
      if (entry.cost + cost >= there.cost) continue;
      there = {entry.cost + cost, entry.state, work, false};
      open.push({there.cost + estimate(next), reached.size() + open.size(), next, there.cost});
    }
  }
}

Walk walk_in_phases(const ControlGraph& control, const Placement& placement) {
  std::vector<int> phases;
  control.phases(placement, phases);
  Walk walk;
  walk.moves = phases[control.end()];
  walk.handoff_ms = control.handoff_ms(walk.moves);
  for (int phase = 0; phase <= walk.moves; ++phase) {
    const int start = control.start_tier();
    walk.stops.push_back({phase % 2 == 0 ? start : 1 - start, {}});
  }
  for (int node : control.order()) {
    if (control.needs_stop(node)) walk.stops[phases[node]].nodes.push_back(node);
  }
  return walk;
}

}  // namespace

Walk cheapest_walk(const ControlGraph& control, const CostGraph& costs,
                   const Placement& placement) {
  if (control.is_alternating()) return walk_in_phases(control, placement);
  const std::vector<double> tails = control.tails_ms(placement);
  Walk walk = walk_along_tails(control, costs, placement, tails);
  const double total = walk.total_ms();
  if (total <= tails[control.start()] * (1 + kSlack)) return walk;
  const auto stops = WalkSearch(control, costs, placement, tails).stops(total * (1 - kSlack));
  if (stops.empty()) return walk;
  Simulation simulation(control, costs, placement);
  for (const auto& [tier, work] : stops) simulation.stop_at(tier, work);
  return simulation.finish_walk();
}

}  // namespace adamec::plan
