#include "adamec/plan/compare/competitors.h"
#include "adamec/plan/search/heuristics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "adamec/base/error.h"
#include "tests/unit/plan/brute_force.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

TEST(Baselines, DeviceAndEdgeFollowTheInput) {
  v1::CostGraph message = testing::toy_message();
  message.mutable_inputs(0)->set_tier("edge");
  const CostGraph costs = make_cost_graph(message, "f");
  const Evaluator evaluator(costs);
  EXPECT_EQ(device_only(evaluator), (Placement{1, 1}));
  EXPECT_EQ(edge_only(evaluator), (Placement{0, 0}));
}

// The incremental search finds the best of all prefixes, evaluated one by one.
TEST(Baselines, NeurosurgeonIsTheBestSingleCut) {
  int feasible = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const v1::CostGraph message = testing::random_cost_graph(random, 12);
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    Placement placement = edge_only(evaluator);
    double best = INFINITY;
    for (std::size_t length = 0;; ++length) {
      const Evaluation evaluation = evaluator.evaluate(placement);
      if (evaluation.feasible()) best = std::min(best, evaluation.latency_ms);
      if (length == placement.size()) break;
      placement[costs.graph.topological_order()[length]] = evaluator.control().start_tier();
    }
    const Evaluation found = evaluator.evaluate(neurosurgeon(evaluator));
    ASSERT_EQ(found.feasible(), best < INFINITY) << found.infeasible;
    if (!found.feasible()) continue;
    ASSERT_NEAR(found.latency_ms, best, 1e-9 * (1 + best));
    ++feasible;
  }
  EXPECT_GT(feasible, 250);
}

// The returns that one auxiliary node cannot see make DADS' placements worse, never better.
TEST(Baselines, OursIsNeverSlowerAndDadsOftenIs) {
  int dads_slower = 0;
  int compared = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const v1::CostGraph message = testing::random_cost_graph(random, 11);
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    Plan plan;
    try {
      plan = find_optimal(evaluator);
    } catch (const Error&) {
      continue;
    }
    for (const Competitor& competitor : compare(evaluator, plan)) {
      if (!competitor.evaluation.feasible()) continue;
      ASSERT_GE(competitor.evaluation.latency_ms, plan.evaluation.latency_ms * (1 - 1e-9))
          << competitor.name;
      if (competitor.name != "dads") continue;
      ++compared;
      dads_slower += competitor.evaluation.latency_ms > plan.evaluation.latency_ms * (1 + 1e-6);
    }
  }
  EXPECT_GT(compared, 150);
  EXPECT_GT(dads_slower, compared / 4);
}

TEST(Baselines, InfeasibleOnesSayWhy) {
  v1::CostGraph message = testing::toy_message();
  message.mutable_tiers(1)->set_memory_bytes(100);
  const CostGraph costs = make_cost_graph(message, "f");
  const Evaluator evaluator(costs);
  const auto competitors = compare(evaluator, find_optimal(evaluator));
  ASSERT_EQ(competitors[1].name, "edge-only");
  EXPECT_EQ(competitors[1].evaluation.infeasible,
            "'edge' needs 550 B of memory, 450 B more than it has");
}

}  // namespace
}  // namespace adamec::plan
