#pragma once

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "adamec/v1/costs.pb.h"

namespace adamec::testing {

// A random cost graph on three tiers: a chain device - edge - cloud, or links between all of them;
// with and without latencies, block overheads, memory limits, pins and results to return.
v1::CostGraph random_three_tier_graph(std::mt19937& random, int max_atoms);

// The definition of a plan's cost for any tiers, written apart from the planner: the cheapest order
// of running one ready atom or moving over one link, by Dijkstra's algorithm over all sets of
// finished atoms; and the best of all placements by enumeration.
class TierSimulator {
 public:
  explicit TierSimulator(const v1::CostGraph& message);

  static constexpr double kImpossible = std::numeric_limits<double>::infinity();

  // Milliseconds; kImpossible when the placement cannot run.
  double latency_ms(const std::vector<int>& placement) const;
  // The fastest of all placements. Placements whose compute and transfers alone take longer than
  // the best so far are skipped.
  double best_ms() const;

 private:
  struct Task {  // an atom, or an input or result away from where control starts and ends
    int fixed_tier = -1;
    bool atom = false;
    unsigned before = 0;
  };
  int tier(const std::string& name) const;
  double base_ms(const std::vector<int>& placement) const;
  double send_ms(int home, const std::vector<char>& needed, double bytes) const;
  double control_ms(const std::vector<int>& placement, double limit) const;
  bool fits(const std::vector<int>& placement) const;

  const v1::CostGraph& message_;
  int tiers_;
  int start_ = 0;
  int end_ = -1;
  std::vector<Task> tasks_;
  std::vector<std::vector<double>> rate_;  // milliseconds per byte, infinite without a link
  std::vector<std::vector<double>> move_;
};

}  // namespace adamec::testing
