// Of plans that cost as much, the one with the fewest blocks and moves is taken, whichever part of
// the search finds it.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "adamec/base/error.h"
#include "adamec/plan/search/branch_and_bound.h"
#include "adamec/plan/search/objective.h"
#include "tests/unit/plan/brute_force.h"
#include "tests/unit/plan/cost/tier_simulator.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using testing::random_cost_graph;
using testing::random_three_tier_graph;

// The same graph with few and round numbers, so that many placements cost as much.
v1::CostGraph with_ties(v1::CostGraph message, std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  const bool alike = pick(0, 2) == 0;
  for (auto& atom : *message.mutable_atoms()) {
    const int ms = pick(0, 2);
    for (int tier = 0; tier < atom.latency_ms_size(); ++tier) {
      atom.set_latency_ms(tier, alike ? ms : pick(0, 2));
    }
  }
  for (auto& tensor : *message.mutable_tensors()) {
    tensor.set_bytes(static_cast<std::uint64_t>(pick(0, 2)));
  }
  const int latency = pick(0, 1);
  for (auto& link : *message.mutable_links()) {
    link.set_bytes_per_second(1000);
    link.set_latency_ms(latency);
    link.set_serialisation_ms_per_byte(0);
  }
  for (auto& tier : *message.mutable_tiers()) {
    if (tier.block_overhead_ms() > 0) tier.set_block_overhead_ms(1);
  }
  return message;
}

struct Enumerated {
  double least = std::numeric_limits<double>::infinity();
  PlanSize smallest;        // of those that cost that much
  bool told_apart = false;  // whether they have several sizes
};

// All placements that can run, by what `cost_of` says of them.
template <typename CostOf>
Enumerated enumerate(const Evaluator& evaluator, CostOf cost_of) {
  Enumerated result;
  Placement placement(evaluator.costs().atoms.size(), 0);
  for (std::size_t i = 0; i < placement.size();) {
    const Evaluation evaluation = evaluator.evaluate(placement);
    const double cost = cost_of(evaluation);
    if (evaluation.feasible() && cost <= result.least * (1 + 1e-12)) {
      const PlanSize size = evaluation.size();
      const bool cheaper = cost < result.least * (1 - 1e-12);
      result.told_apart = !cheaper && (result.told_apart || size != result.smallest);
      if (cheaper || size < result.smallest) result.smallest = size;
      result.least = std::min(result.least, cost);
    }
    const int tiers = evaluator.costs().tier_count();
    for (i = 0; i < placement.size() && ++placement[i] == tiers; ++i) placement[i] = 0;
  }
  return result;
}

double latency(const Evaluation& evaluation) { return evaluation.latency_ms; }

// Adds to `told_apart` the graphs whose best placements differ in size.
void expect_smallest(const v1::CostGraph& message, int& told_apart) {
  const CostGraph costs = make_cost_graph(message, "ties");
  const Evaluator evaluator(costs);
  const Enumerated all = enumerate(evaluator, latency);
  if (std::isinf(all.least)) {
    EXPECT_THROW(find_optimal(evaluator), Error);
    return;
  }
  const Plan plan = find_optimal(evaluator);
  ASSERT_NEAR(plan.evaluation.latency_ms, all.least, 1e-9 * (1 + all.least));
  ASSERT_EQ(plan.gap, 0);
  ASSERT_EQ(plan.evaluation.size().blocks, all.smallest.blocks) << message.ShortDebugString();
  ASSERT_EQ(plan.evaluation.size().moves, all.smallest.moves) << message.ShortDebugString();
  told_apart += all.told_apart;
}

TEST(Smallest, TwoTiersEqualBruteForce) {
  int told_apart = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    expect_smallest(with_ties(random_cost_graph(random, 9), random), told_apart);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(told_apart, 300);
  std::cout << told_apart << " graphs whose best placements differ in size\n";
}

TEST(Smallest, ThreeTiersEqualBruteForce) {
  int told_apart = 0;
  for (unsigned seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    expect_smallest(with_ties(random_three_tier_graph(random, 6), random), told_apart);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(told_apart, 100);
}

TEST(Smallest, SharedStateEqualsBruteForce) {
  int told_apart = 0;
  for (unsigned seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    v1::CostGraph message = with_ties(random_cost_graph(random, 8), random);
    for (int i = 0; i < std::min(message.atoms_size(), 3); ++i) {
      message.add_together(message.atoms(i).id());
    }
    expect_smallest(message, told_apart);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(told_apart, 40);
}

// Any objective, with a ceiling or without.
TEST(Smallest, ObjectivesEqualBruteForce) {
  int told_apart = 0;
  for (unsigned seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    v1::CostGraph message = with_ties(random_cost_graph(random, 8), random);
    for (auto& tier : *message.mutable_tiers()) tier.set_power_watts(1);
    const CostGraph costs = make_cost_graph(message, "ties");
    const Evaluator evaluator(costs);
    const Measure measure = kMeasures[seed % 4];
    const auto index = static_cast<std::size_t>(measure);
    const double fastest = enumerate(evaluator, latency).least;
    if (std::isinf(fastest)) continue;
    const bool limited = seed % 2 == 0;
    const double ceiling = limited ? fastest + 1 : 1e9;
    const Enumerated all = enumerate(evaluator, [&](const Evaluation& evaluation) {
      return evaluation.latency_ms > ceiling * (1 + 1e-12)
                 ? std::numeric_limits<double>::infinity()
                 : measure_all(evaluator, evaluation)[index];
    });
    std::vector<Ceiling> ceilings;
    if (limited) ceilings.push_back({Measure::kLatency, ceiling});
    const ObjectivePlan plan = find_best_plan(evaluator, Objective::of(measure), ceilings);
    ASSERT_NEAR(plan.value, all.least, 1e-9 * (1 + all.least));
    ASSERT_EQ(plan.plan.gap, 0);
    ASSERT_EQ(plan.plan.evaluation.size().blocks, all.smallest.blocks);
    ASSERT_EQ(plan.plan.evaluation.size().moves, all.smallest.moves);
    told_apart += all.told_apart;
  }
  EXPECT_GT(told_apart, 100);
}

// As in SqueezeNet: what takes no time and keeps its size is no block of its own.
TEST(Smallest, NoBlockThatOnlyReshapes) {
  v1::CostGraph message = testing::toy_message();
  for (auto& link : *message.mutable_links()) link.set_bytes_per_second(100e6);
  v1::CostGraph::Tensor* flat = message.add_tensors();
  flat->set_id("flat");
  flat->set_bytes(1000);
  v1::CostGraph::Atom* flatten = message.add_atoms();
  flatten->set_id("flatten");
  flatten->add_inputs("y");
  flatten->add_outputs("flat");
  for (int tier = 0; tier < 2; ++tier) flatten->add_latency_ms(0);
  message.mutable_outputs(0)->set_tensor("flat");
  const CostGraph costs = make_cost_graph(message, "toy");
  const Plan plan = find_optimal(Evaluator(costs));
  EXPECT_EQ(plan.placement, (Placement{1, 1, 1}));
  EXPECT_EQ(plan.evaluation.blocks.size(), 1u);
}

}  // namespace
}  // namespace adamec::plan
