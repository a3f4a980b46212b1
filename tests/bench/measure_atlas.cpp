// Times the atlas of a cost graph over the bandwidth and its look-up, and compares it with single
// plans. Prints "name value" lines; see measure_atlas.py.
//
//   measure_atlas COSTS.json POINTS
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "adamec/plan/atlas/table.h"

namespace {

using namespace adamec;
using namespace adamec::plan;

constexpr double kLow = 0.1e6 / 8;  // bytes per second
constexpr double kHigh = 1000e6 / 8;
constexpr int kRounds = 21;
constexpr int kLookups = 1'000'000;

template <typename Run>
double milliseconds(Run run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

double bandwidth(int point, int points) {
  return kLow * std::pow(kHigh / kLow, static_cast<double>(point) / (points - 1));
}

void measure(const char* path, int points) {
  const CostGraph costs = read_cost_graph(path);
  v1::AtlasRanges message;
  v1::AtlasRange* range = message.add_ranges();
  range->set_quantity(v1::AtlasRange::BANDWIDTH);
  range->set_low(kLow);
  range->set_high(kHigh);
  const AtlasRanges ranges = make_ranges(message, costs, path);
  Atlas atlas;
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    times.push_back(milliseconds([&] { atlas = make_atlas(costs, ranges); }));
  }
  std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
  const AtlasTable table(atlas_message(costs, message, atlas, 0), path);
  double sum = 0;
  const double lookups = milliseconds([&] {
    for (int i = 0; i < kLookups; ++i) {
      const double value = kLow + i * 100.0;
      sum += advise(table.table(), &value, 0).latency_ms;
    }
  });
  const AtlasModel model(costs, ranges);
  CostGraph at = costs;
  int differ = 0;
  double worst = 0;
  for (int i = 0; i < points; ++i) {
    const double value = bandwidth(i, points);
    model.apply({&value, 1}, at);
    const double single = find_optimal(Evaluator(at)).evaluation.latency_ms;
    const double excess = advise(table.table(), &value, -1).latency_ms / single - 1;
    worst = std::max(worst, std::abs(excess));
    differ += std::abs(excess) > 1e-9;
  }
  fmt::print(
      "atlas_ms {}\nplans {}\nsearches {}\ngap {}\nlookup_ns {}\npoints {}\ndiffer {}\n"
      "worst {}\nsum {}\n",
      times[kRounds / 2], atlas.plans.size(), atlas.searches, atlas.gap, lookups * 1e6 / kLookups,
      points, differ, worst, sum);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  measure(argv[1], std::atoi(argv[2]));
}
