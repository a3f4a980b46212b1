#include "adamec/plan/cost/schedule.h"

#include <algorithm>

#include "adamec/plan/cost/schedule_search.h"

namespace adamec::plan {
namespace {

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

  // Moves there and runs all that can run; without `work` atoms wait for a later stop.
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
    if (works) schedule_.overhead_ms += costs_.tiers[tier].block_overhead_ms;
    schedule_.stops.push_back(std::move(stop));
  }

  Schedule finish_schedule() {
    if (control_.end_tier() >= 0) move_to(control_.end_tier());
    return std::move(schedule_);
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
    schedule_.handoff_ms += control_.move_ms(at_, tier);
    schedule_.moves += control_.routes().move_hops(at_, tier);
    at_ = tier;
  }

  const ControlGraph& control_;
  const CostGraph& costs_;
  const Placement& placement_;
  std::vector<int> waiting_for_;         // per node: predecessors that have not run
  std::vector<std::vector<int>> ready_;  // per tier
  int at_;
  int left_ = 0;
  Schedule schedule_;
};

// Goes where the longest rest of the way begins.
Schedule schedule_along_tails(const ControlGraph& control, const CostGraph& costs,
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
  return simulation.finish_schedule();
}

// Blocks when every atom runs in its phase.
int count_blocks(const ControlGraph& control, const std::vector<int>& phases) {
  std::vector<char> works(static_cast<std::size_t>(phases[control.end()]) + 1, 0);
  for (int node : control.order()) {
    if (control.is_atom(node)) works[phases[node]] = 1;
  }
  return static_cast<int>(std::count(works.begin(), works.end(), 1));
}

// Every atom in the earliest phase its inputs allow. Only atoms before the first move can make a
// block that no move forces: where all of them may as well wait for control's return, they do.
std::vector<int> choose_phases(const ControlGraph& control, const Placement& placement) {
  std::vector<int> early;
  control.phases(placement, early);
  const int moves = early[control.end()];
  if (moves < 2) return early;
  std::vector<int> late;
  control.phases(placement, late, 2);
  const bool fewer =
      late[control.end()] == moves && count_blocks(control, late) < count_blocks(control, early);
  return fewer ? late : early;
}

Schedule schedule_in_phases(const ControlGraph& control, const Placement& placement) {
  const std::vector<int> phases = choose_phases(control, placement);
  Schedule schedule;
  schedule.moves = phases[control.end()];
  schedule.handoff_ms = control.handoff_ms(schedule.moves);
  for (int phase = 0; phase <= schedule.moves; ++phase) {
    const int start = control.start_tier();
    schedule.stops.push_back({phase % 2 == 0 ? start : 1 - start, {}});
  }
  for (int node : control.order()) {
    if (control.needs_stop(node)) schedule.stops[phases[node]].nodes.push_back(node);
  }
  return schedule;
}

}  // namespace

Schedule cheapest_schedule(const ControlGraph& control, const CostGraph& costs,
                           const Placement& placement) {
  if (control.is_alternating()) return schedule_in_phases(control, placement);
  const std::vector<double> tails = control.tails_ms(placement);
  Schedule schedule = schedule_along_tails(control, costs, placement, tails);
  const double total = schedule.total_ms();
  if (total <= tails[control.start()] * (1 + kSlack)) return schedule;
  const auto stops = ScheduleSearch(control, costs, placement, tails).stops(total * (1 - kSlack));
  if (stops.empty()) return schedule;
  Simulation simulation(control, costs, placement);
  for (const auto& [tier, work] : stops) simulation.stop_at(tier, work);
  return simulation.finish_schedule();
}

}  // namespace adamec::plan
