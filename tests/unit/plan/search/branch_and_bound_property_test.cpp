#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "adamec/base/error.h"
#include "adamec/plan/search/branch_and_bound.h"
#include "tests/unit/plan/brute_force.h"

namespace adamec::plan {
namespace {

using testing::random_cost_graph;
using testing::Simulator;

constexpr int kGraphs = 1150;
constexpr double kTolerance = 1e-9;

// ADAMEC_SEED=N repeats a run; every graph has a seed of its own.
unsigned first_seed() {
  const char* text = std::getenv("ADAMEC_SEED");
  return text == nullptr ? 20230101u : static_cast<unsigned>(std::atoi(text));
}

std::uint32_t bits(const Placement& placement) {
  std::uint32_t result = 0;
  for (std::size_t i = 0; i < placement.size(); ++i) result |= std::uint32_t(placement[i]) << i;
  return result;
}

TEST(OptimalProperty, PlansEqualBruteForceOnRandomGraphs) {
  int feasible = 0;
  int limited = 0;
  int moved = 0;
  for (unsigned seed = first_seed(); seed < first_seed() + kGraphs; ++seed) {
    SCOPED_TRACE("reproduce with ADAMEC_SEED=" + std::to_string(seed));
    std::mt19937 random(seed);
    const v1::CostGraph message = random_cost_graph(random, 12);
    const Simulator simulator(message);
    const double best = simulator.best_ms();
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    if (best == Simulator::kImpossible) {
      EXPECT_THROW(
          {
            try {
              (void)find_optimal(evaluator);
            } catch (const Error& error) {
              EXPECT_EQ(error.kind(), ErrorKind::kInfeasible) << error.what();
              throw;
            }
          },
          Error)
          << message.ShortDebugString();
      continue;
    }
    const Plan plan = find_optimal(evaluator);
    const double slack = kTolerance * (1 + best);
    ASSERT_NEAR(plan.evaluation.latency_ms, best, slack) << message.ShortDebugString();
    ASSERT_NEAR(plan.evaluation.latency_ms, simulator.latency_ms(bits(plan.placement)), slack);
    ASSERT_LE(plan.lower_bound_ms, best + slack);
    ASSERT_EQ(plan.gap, 0);
    ASSERT_TRUE(plan.evaluation.feasible()) << plan.evaluation.infeasible;
    ++feasible;
    limited += message.tiers(0).memory_bytes() > 0 || message.tiers(1).memory_bytes() > 0;
    moved += plan.evaluation.moves > 0;
  }
  // The graphs are worth their name.
  EXPECT_GE(feasible, 1000);
  EXPECT_GE(limited, 100);
  EXPECT_GE(moved, 200);
  RecordProperty("first_seed", static_cast<int>(first_seed()));
  std::cout << "seeds " << first_seed() << " to " << first_seed() + kGraphs - 1 << ": " << feasible
            << " feasible graphs, " << limited << " with memory limits, " << moved
            << " whose best plan uses both tiers\n";
}

TEST(OptimalProperty, EvaluationEqualsSimulationOfEveryPlacement) {
  for (unsigned seed = first_seed(); seed < first_seed() + 200; ++seed) {
    SCOPED_TRACE("reproduce with ADAMEC_SEED=" + std::to_string(seed));
    std::mt19937 random(seed);
    const v1::CostGraph message = random_cost_graph(random, 7);
    const Simulator simulator(message);
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    for (std::uint32_t placement = 0; placement < 1u << message.atoms_size(); ++placement) {
      Placement tiers;
      for (int i = 0; i < message.atoms_size(); ++i) tiers.push_back(placement >> i & 1);
      const Evaluation evaluation = evaluator.evaluate(tiers);
      const double expected = simulator.latency_ms(placement);
      ASSERT_EQ(evaluation.feasible(), expected != Simulator::kImpossible) << evaluation.infeasible;
      ASSERT_EQ(evaluation.moves, simulator.fewest_moves_by_search(placement));
      ASSERT_EQ(evaluation.moves, simulator.moves(placement));
      ASSERT_EQ(evaluation.size(), evaluator.size(tiers));
      const int fewest_blocks = simulator.fewest_blocks_by_search(placement);
      ASSERT_GE(evaluation.size().blocks, fewest_blocks);
      if (!simulator.has_mixed_endpoints()) {
        ASSERT_EQ(evaluation.size().blocks, fewest_blocks);
      }
      if (!evaluation.feasible()) continue;
      ASSERT_NEAR(evaluation.latency_ms, expected, kTolerance * (1 + expected));
      ASSERT_NEAR(evaluator.cost(tiers), expected, kTolerance * (1 + expected));
      std::size_t atoms = 0;
      for (const Block& block : evaluation.blocks) {
        ASSERT_TRUE(costs.graph.is_convex(block.atoms));
        for (int atom : block.atoms) ASSERT_EQ(tiers[atom], block.tier);
        atoms += block.atoms.size();
      }
      ASSERT_EQ(atoms, tiers.size());
    }
  }
}

}  // namespace
}  // namespace adamec::plan
