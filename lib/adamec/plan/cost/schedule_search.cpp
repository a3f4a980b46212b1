#include "adamec/plan/cost/schedule_search.h"

#include <algorithm>
#include <bit>
#include <map>
#include <queue>
#include <unordered_map>

namespace adamec::plan {

// A node joins the group it waits for when that is only one and on its own tier.
bool ScheduleSearch::make_groups() {
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

double ScheduleSearch::estimate(const ScheduleState& state) const {
  double rest = control_.end_tier() < 0 ? 0 : control_.move_ms(state.tier, control_.end_tier());
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (state.done >> i & 1) continue;
    const AtomGroup& group = groups_[i];
    const double move = state.tier == group.tier ? 0 : control_.move_ms(state.tier, group.tier);
    rest = std::max(rest, move + group.tail);
  }
  return rest;
}

// The state and the cost after a stop on the tier; the same state when nothing can run there.
std::pair<ScheduleSearch::ScheduleState, double> ScheduleSearch::stop(const ScheduleState& state,
                                                                      int tier, bool work) const {
  ScheduleState next{state.done, tier};
  bool works = false;
  for (std::size_t i = 0; i < groups_.size(); ++i) {  // groups are in topological order
    const AtomGroup& group = groups_[i];
    if ((next.done >> i & 1) || group.tier != tier || (group.before & ~next.done) != 0) continue;
    if (group.works && !work) continue;
    next.done |= Mask{1} << i;
    works = works || group.works;
  }
  double cost = state.tier == tier ? 0 : control_.move_ms(state.tier, tier);
  if (works) cost += costs_.tiers[tier].block_overhead_ms;
  return {next, cost};
}

void ScheduleSearch::find(double limit) {
  const Mask all = groups_.size() == 64 ? ~Mask{0} : (Mask{1} << groups_.size()) - 1;
  std::unordered_map<ScheduleState, Reached, Hash> reached;
  std::priority_queue<OpenState> open;
  const ScheduleState first{1, control_.start_tier()};  // the group of the control graph's start
  reached[first].cost = 0;
  open.push({estimate(first), 0, first, 0});
  while (!open.empty() && reached.size() < kMaxStates) {
    const OpenState nearest = open.top();
    open.pop();
    if (nearest.estimate >= limit) return;
    Reached& here = reached[nearest.state];
    if (here.closed) continue;
    here.closed = true;
    if (nearest.state.done == all) {
      for (ScheduleState at = nearest.state; !(at == first); at = reached[at].from) {
        stops_.push_back({at.tier, reached[at].work});
      }
      std::reverse(stops_.begin(), stops_.end());
      return;
    }
    for (int action = 0; action < 2 * costs_.tier_count(); ++action) {
      // Where blocks cost something, a stop may be for inputs and results alone.
      const bool work = action % 2 == 0;
      if (!work && !control_.has_block_overhead()) continue;
      const auto [next, cost] = stop(nearest.state, action / 2, work);
      if (next.done == nearest.state.done) continue;
      Reached& there = reached[next];
      if (nearest.cost + cost >= there.cost) continue;
      there = {nearest.cost + cost, nearest.state, work, false};
      open.push({there.cost + estimate(next), reached.size() + open.size(), next, there.cost});
    }
  }
}

}  // namespace adamec::plan
