#include "adamec/plan/search/branch_and_bound.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "adamec/base/error.h"
#include "adamec/plan/compare/competitors.h"
#include "adamec/plan/search/bounds.h"
#include "tests/unit/plan/brute_force.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using ::testing::HasSubstr;
using testing::toy;
using testing::toy_message;

std::string infeasible_message(const v1::CostGraph& message, const SearchLimits& limits = {}) {
  const CostGraph costs = make_cost_graph(message, "f.json");
  const Evaluator evaluator(costs);
  try {
    (void)find_optimal(evaluator, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInfeasible);
    return error.what();
  }
  return "feasible";
}

TEST(Optimal, ToyRunsOnTheEdge) {
  const CostGraph costs = toy();
  const Plan plan = find_optimal(Evaluator(costs));
  EXPECT_EQ(plan.placement, (Placement{1, 1}));
  EXPECT_DOUBLE_EQ(plan.evaluation.latency_ms, 14.5);
  EXPECT_EQ(plan.lower_bound_ms, plan.evaluation.latency_ms);
  EXPECT_EQ(plan.gap, 0);
}

TEST(Optimal, RespectsAllowedTiers) {
  v1::CostGraph message = toy_message();
  message.mutable_atoms(1)->add_tiers("device");
  const CostGraph costs = make_cost_graph(message, "f");
  EXPECT_EQ(find_optimal(Evaluator(costs)).placement, (Placement{0, 0}));
}

TEST(Optimal, OneTierIsTrivial) {
  v1::CostGraph message = toy_message();
  message.mutable_tiers()->RemoveLast();
  message.clear_links();
  for (auto& atom : *message.mutable_atoms()) atom.mutable_latency_ms()->RemoveLast();
  const CostGraph costs = make_cost_graph(message, "f");
  const Evaluator evaluator(costs);
  const Plan plan = find_optimal(evaluator);
  EXPECT_DOUBLE_EQ(plan.evaluation.latency_ms, 15);
  EXPECT_EQ(plan.gap, 0);
  EXPECT_EQ(compare(evaluator, plan).size(), 7u);
  message.mutable_tiers(0)->set_memory_bytes(500);
  EXPECT_EQ(infeasible_message(message),
            "f.json: 'device' needs 550 B of memory, 50 B more than it has");
}

TEST(Optimal, NamesWhatMakesAPlanImpossible) {
  v1::CostGraph message = toy_message();
  message.mutable_tiers(0)->set_memory_bytes(140);
  message.mutable_tiers(1)->set_memory_bytes(400);
  EXPECT_EQ(infeasible_message(message),
            "f.json: atom 'b' needs 420 B of memory, 280 B more than 'device' has");
  message.mutable_tiers(0)->set_memory_bytes(0);
  message.mutable_tiers(1)->set_memory_bytes(450);
  message.mutable_atoms(0)->add_tiers("edge");
  message.mutable_atoms(1)->add_tiers("edge");
  EXPECT_EQ(infeasible_message(message),
            "f.json: no placement can run: in the closest, 'edge' needs 550 B of memory, 100 B "
            "more than it has");
  message.mutable_tiers(1)->set_memory_bytes(0);
  message.mutable_links()->RemoveLast();
  EXPECT_EQ(infeasible_message(message),
            "f.json: atom 'a' may only run on 'edge', but no link leads from 'edge' to 'device'");
  *message.mutable_links(0) = toy_message().links(1);
  EXPECT_EQ(infeasible_message(message),
            "f.json: atom 'a' may only run on 'edge', but no link leads from 'device' to 'edge'");
  message.mutable_atoms(0)->clear_tiers();
  message.mutable_atoms(1)->clear_tiers();
  message.mutable_outputs(0)->set_tier("edge");
  EXPECT_THAT(infeasible_message(message), HasSubstr("without a link"));
}

// Under any limit the bound is true and the plan runs; more work never gives a worse answer.
TEST(Optimal, IsHonestWhenItStopsEarly) {
  int unproven = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const v1::CostGraph message = testing::random_cost_graph(random, 10);
    const double best = testing::Simulator(message).best_ms();
    if (best == testing::Simulator::kImpossible) continue;
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    SearchLimits limits;
    limits.stop = [] { return true; };
    Plan plan;
    try {
      plan = find_optimal(evaluator, limits);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("within the limits"));
      continue;
    }
    ASSERT_TRUE(plan.evaluation.feasible());
    ASSERT_LE(plan.lower_bound_ms, best * (1 + 1e-9));
    ASSERT_GE(plan.evaluation.latency_ms, best * (1 - 1e-9));
    const double gap = plan.evaluation.latency_ms - plan.lower_bound_ms;
    ASSERT_NEAR(plan.gap * plan.evaluation.latency_ms, gap, 1e-9);
    unproven += plan.gap > 0;
  }
  EXPECT_GT(unproven, 0);
}

TEST(Bounds, NeverExceedTheOptimumAndPricesOnlyHelp) {
  int improved = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const v1::CostGraph message = testing::random_cost_graph(random, 10);
    const double best = testing::Simulator(message).best_ms();
    if (best == testing::Simulator::kImpossible) continue;
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    const std::vector<int> pins = initial_pins(evaluator);
    Bounds bounds(
        evaluator, [](const Placement&) {}, [] { return false; });
    const double free = Relaxation(evaluator).solve(pins).cost;
    const auto result = bounds.tighten(pins, bounds.initial_prices(), 20, 1e300);
    ASSERT_LE(free, best * (1 + 1e-9));
    ASSERT_LE(result.bound, best * (1 + 1e-9));
    ASSERT_GE(result.bound, free * (1 - 1e-9));
    improved += result.bound > free * (1 + 1e-6);
  }
  EXPECT_GT(improved, 100);
}

TEST(Optimal, SameInputSamePlan) {
  std::mt19937 random(11);
  const v1::CostGraph message = testing::random_cost_graph(random, 12);
  const CostGraph costs = make_cost_graph(message, "random");
  const Evaluator evaluator(costs);
  EXPECT_EQ(find_optimal(evaluator).placement, find_optimal(evaluator).placement);
}

}  // namespace
}  // namespace adamec::plan
