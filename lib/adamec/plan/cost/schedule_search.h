#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "adamec/plan/cost/schedule.h"

// Only for this room.
namespace adamec::plan {

// Best-first search over sets of finished groups.
class ScheduleSearch {
 public:
  ScheduleSearch(const ControlGraph& control, const CostGraph& costs, const Placement& placement,
                 const std::vector<double>& tails)
      : control_(control), costs_(costs), placement_(placement), tails_(tails) {}

  struct Visit {
    int tier;
    bool work;  // whether atoms run
  };
  // The stops of the cheapest schedule that costs less than `limit`; empty: none found.
  std::vector<Visit> stops(double limit) {
    if (!make_groups()) return {};
    find(limit);
    return std::move(stops_);
  }

 private:
  using Mask = std::uint64_t;
  struct AtomGroup {
    int tier;
    bool works = false;  // whether it holds an atom
    Mask before = 0;     // all groups that must have run, directly or not
    double tail = 0;
  };
  struct ScheduleState {
    Mask done;
    int tier;
    bool operator==(const ScheduleState& other) const {
      return done == other.done && tier == other.tier;
    }
  };
  struct Hash {
    std::size_t operator()(const ScheduleState& state) const {
      return static_cast<std::size_t>((state.done * 64 + state.tier) * 0x9e3779b97f4a7c15u >> 7);
    }
  };
  struct Reached {
    double cost = std::numeric_limits<double>::infinity();
    ScheduleState from{0, -1};
    bool work = true;
    bool closed = false;
  };
  struct OpenState {
    double estimate;
    std::size_t number;
    ScheduleState state;
    double cost;
    bool operator<(const OpenState& other) const {
      return estimate != other.estimate ? estimate > other.estimate : number > other.number;
    }
  };

  bool make_groups();
  void find(double limit);
  double estimate(const ScheduleState& state) const;
  std::pair<ScheduleState, double> stop(const ScheduleState& state, int tier, bool work) const;

  const ControlGraph& control_;
  const CostGraph& costs_;
  const Placement& placement_;
  const std::vector<double>& tails_;
  std::vector<AtomGroup> groups_;
  std::vector<Visit> stops_;
};

}  // namespace adamec::plan
