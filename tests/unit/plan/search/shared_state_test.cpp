// Atoms that share state run on one tier, whichever it is.
#include "adamec/plan/search/shared_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "adamec/plan/search/branch_and_bound.h"
#include "adamec/plan/search/objective.h"
#include "tests/unit/plan/brute_force.h"

namespace adamec::plan {
namespace {

using testing::random_cost_graph;
using testing::Simulator;

// The fastest of all placements that keep the first `count` atoms together.
double best_with_shared_state(const v1::CostGraph& message, int count) {
  const Simulator simulator(message);
  const std::uint32_t group = (1u << count) - 1;
  double best = Simulator::kImpossible;
  for (std::uint32_t placement = 0; placement < 1u << message.atoms_size(); ++placement) {
    const std::uint32_t part = placement & group;
    if (part == 0 || part == group) best = std::min(best, simulator.latency_ms(placement));
  }
  return best;
}

TEST(SharedState, PlansEqualBruteForce) {
  int feasible = 0;
  int binding = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    v1::CostGraph message = random_cost_graph(random, 9);
    const int count = std::min(message.atoms_size(), 2 + static_cast<int>(seed % 4));
    const double free = Simulator(message).best_ms();
    for (int i = 0; i < count; ++i) message.add_together(message.atoms(i).id());
    const double best = best_with_shared_state(message, count);
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    if (best == Simulator::kImpossible) {
      EXPECT_THROW((void)find_optimal(evaluator), Error);
      continue;
    }
    const Plan plan = find_optimal(evaluator);
    ASSERT_NEAR(plan.evaluation.latency_ms, best, 1e-9 * (1 + best));
    ASSERT_EQ(plan.gap, 0);
    ASSERT_TRUE(plan.evaluation.feasible()) << plan.evaluation.infeasible;
    const ObjectivePlan same = find_best_plan(evaluator, Objective::of(Measure::kLatency), {});
    ASSERT_NEAR(same.value, best, 1e-9 * (1 + best));
    ++feasible;
    binding += best > free * (1 + 1e-9) ? 1 : 0;
  }
  EXPECT_GT(feasible, 200);
  EXPECT_GT(binding, 20);
}

TEST(SharedState, IsCheckedWhenRead) {
  std::mt19937 random(1);
  v1::CostGraph message = random_cost_graph(random, 5);
  message.add_together("nobody");
  try {
    (void)make_cost_graph(message, "c.json");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "c.json: together[0]: unknown atom 'nobody'");
  }
}

TEST(SharedState, APlacementThatDividesThemCannotRun) {
  std::mt19937 random(5);
  v1::CostGraph message = random_cost_graph(random, 6);
  for (auto& atom : *message.mutable_atoms()) atom.clear_tiers();
  for (int i = 0; i < 2; ++i) message.add_together(message.atoms(i).id());
  const CostGraph costs = make_cost_graph(message, "random");
  Placement placement(costs.atoms.size(), 0);
  placement[1] = 1;
  const Evaluation evaluation = Evaluator(costs).evaluate(placement);
  EXPECT_NE(evaluation.infeasible.find("share state, but are on different tiers"),
            std::string::npos)
      << evaluation.infeasible;
}

}  // namespace
}  // namespace adamec::plan
