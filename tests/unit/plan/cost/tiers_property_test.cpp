#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "adamec/base/error.h"
#include "adamec/plan/search/branch_and_bound.h"
#include "tests/unit/plan/cost/tier_simulator.h"

namespace adamec::plan {
namespace {

using testing::random_three_tier_graph;
using testing::TierSimulator;

constexpr double kTolerance = 1e-9;

// ADAMEC_SEED=N repeats a run; every graph has a seed of its own.
unsigned first_seed() {
  const char* text = std::getenv("ADAMEC_SEED");
  return text == nullptr ? 20230101u : static_cast<unsigned>(std::atoi(text));
}

// Part of the graphs, so that no test takes long.
class ThreeTiers : public ::testing::TestWithParam<int> {};

void expect_optimal(const v1::CostGraph& message, int& feasible, int& limited) {
  const TierSimulator simulator(message);
  const double best = simulator.best_ms();
  const CostGraph costs = make_cost_graph(message, "random");
  const Evaluator evaluator(costs);
  if (best == TierSimulator::kImpossible) {
    EXPECT_THROW((void)find_optimal(evaluator), Error) << message.ShortDebugString();
    return;
  }
  const Plan plan = find_optimal(evaluator);
  const double slack = kTolerance * (1 + best);
  ASSERT_NEAR(plan.evaluation.latency_ms, best, slack) << message.ShortDebugString();
  ASSERT_NEAR(plan.evaluation.latency_ms, simulator.latency_ms(plan.placement), slack);
  ASSERT_LE(plan.lower_bound_ms, best + slack);
  ASSERT_EQ(plan.gap, 0);
  ASSERT_TRUE(plan.evaluation.feasible()) << plan.evaluation.infeasible;
  ++feasible;
  for (const auto& tier : message.tiers()) {
    if (tier.memory_bytes() == 0) continue;
    ++limited;
    break;
  }
}

TEST_P(ThreeTiers, PlansEqualBruteForce) {
  const int max_atoms = GetParam();
  const int graphs = max_atoms == 7 ? 800 : max_atoms == 9 ? 240 : 80;
  int feasible = 0;
  int limited = 0;
  const unsigned first = first_seed() + 10'000 * static_cast<unsigned>(max_atoms);
  for (unsigned seed = first; seed < first + graphs; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    expect_optimal(random_three_tier_graph(random, max_atoms), feasible, limited);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(feasible, graphs * 3 / 4);
  EXPECT_GE(limited, graphs / 10);
  std::cout << "seeds " << first << " to " << first + graphs - 1 << ": " << feasible
            << " feasible graphs, " << limited << " with memory limits\n";
}

INSTANTIATE_TEST_SUITE_P(Atoms, ThreeTiers, ::testing::Values(7, 9, 10));

TEST(ThreeTierEvaluation, EqualsSimulationOfEveryPlacement) {
  for (unsigned seed = first_seed(); seed < first_seed() + 300; ++seed) {
    SCOPED_TRACE("reproduce with ADAMEC_SEED=" + std::to_string(seed));
    std::mt19937 random(seed);
    const v1::CostGraph message = random_three_tier_graph(random, 5);
    const TierSimulator simulator(message);
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    Placement placement(costs.atoms.size(), 0);
    for (std::size_t i = 0; i < placement.size();) {
      const Evaluation evaluation = evaluator.evaluate(placement);
      const double expected = simulator.latency_ms(placement);
      ASSERT_EQ(evaluation.feasible(), expected != TierSimulator::kImpossible)
          << evaluation.infeasible << message.ShortDebugString();
      if (evaluation.feasible()) {
        const double slack = kTolerance * (1 + expected);
        ASSERT_NEAR(evaluation.latency_ms, expected, slack) << message.ShortDebugString();
        ASSERT_NEAR(evaluator.cost(placement), expected, slack);
        for (const Block& block : evaluation.blocks) {
          ASSERT_TRUE(costs.graph.is_convex(block.atoms));
        }
      }
      for (i = 0; i < placement.size() && ++placement[i] == 3; ++i) placement[i] = 0;
    }
  }
}

}  // namespace
}  // namespace adamec::plan
