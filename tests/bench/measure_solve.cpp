// measure_solve COSTS.json [--pipeline | --reduction]: median milliseconds of one minimum cut
// (capacities set and solved; the network is built before), of one pipeline, or of finding the
// lossless blocks (two minimum cuts per atom), inside this process.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/graph/reduction.h"
#include "adamec/plan/search/pipeline.h"
#include "adamec/plan/search/relaxation.h"

namespace {

constexpr int kRounds = 21;

template <typename Work>
double median_ms(Work work) {
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    times.push_back(taken.count());
  }
  std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
  return times[kRounds / 2];
}

}  // namespace

int main(int argc, char** argv) {
  using namespace adamec::plan;
  if (argc < 2) return 2;
  try {
    const CostGraph costs = read_cost_graph(argv[1]);
    const Evaluator evaluator(costs);
    const std::string what = argc > 2 ? argv[2] : "";
    if (what == "--reduction") {
      std::vector<adamec::graph::TensorRole> roles(costs.graph.tensors().size());
      for (const Endpoint& output : costs.outputs) roles[output.tensor].result = true;
      std::size_t blocks = 0;
      std::cout << median_ms([&] { blocks += lossless_blocks(costs.graph, roles).size(); }) << "\n";
      return blocks > 0 ? 0 : 1;
    }
    if (what == "--pipeline") {
      std::cout << median_ms([&] { (void)find_pipeline(evaluator); }) << "\n";
      return 0;
    }
    Relaxation relaxation(evaluator);
    const std::vector<int> pins = initial_pins(evaluator);
    std::cout << median_ms([&] { (void)relaxation.solve(pins); }) << "\n";
    return 0;
  } catch (const adamec::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
