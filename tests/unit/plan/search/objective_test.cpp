#include "adamec/plan/search/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "adamec/base/error.h"
#include "tests/unit/plan/brute_force.h"
#include "tests/unit/plan/cost/tier_simulator.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

double measured(const Evaluator& evaluator, const Placement& placement, const Objective& of) {
  const auto all = measure_all(evaluator, evaluator.evaluate(placement));
  double sum = 0;
  for (Measure measure : kMeasures) sum += of[measure] * all[static_cast<std::size_t>(measure)];
  return sum;
}

v1::CostGraph with_energy(v1::CostGraph message, std::mt19937& random) {
  std::uniform_real_distribution<double> watts(0, 10);
  for (auto& tier : *message.mutable_tiers()) tier.set_power_watts(watts(random));
  for (auto& link : *message.mutable_links()) link.set_joules_per_byte(watts(random) * 1e-5);
  return message;
}

// The least objective of all placements that can run and keep the ceilings, by enumeration.
double enumerate(const Evaluator& evaluator, const Objective& objective,
                 const std::vector<Ceiling>& ceilings) {
  double best = std::numeric_limits<double>::infinity();
  Placement placement(evaluator.costs().atoms.size(), 0);
  for (std::size_t i = 0; i < placement.size();) {
    bool fine = evaluator.evaluate(placement).feasible();
    for (const Ceiling& ceiling : ceilings) {
      fine = fine && measured(evaluator, placement, Objective::of(ceiling.measure)) <=
                         ceiling.at_most * (1 + 1e-12);
    }
    if (fine) best = std::min(best, measured(evaluator, placement, objective));
    const int tiers = evaluator.costs().tier_count();
    for (i = 0; i < placement.size() && ++placement[i] == tiers; ++i) placement[i] = 0;
  }
  return best;
}

v1::CostGraph random_graph(unsigned seed, std::mt19937& random) {
  const bool three = seed % 3 == 0;
  return with_energy(
      three ? testing::random_three_tier_graph(random, 5) : testing::random_cost_graph(random, 8),
      random);
}

TEST(Objective, EveryOneIsOptimal) {
  int feasible = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const CostGraph costs = make_cost_graph(random_graph(seed, random), "random");
    const Evaluator evaluator(costs);
    Objective objective;
    std::uniform_real_distribution<double> weight(0, 1);
    if (seed % 5 < 4) {
      objective.weight[seed % 5] = 1;
    } else {
      for (double& value : objective.weight) value = weight(random);
    }
    const double best = enumerate(evaluator, objective, {});
    if (std::isinf(best)) {
      EXPECT_THROW((void)find_best_plan(evaluator, objective, {}), Error);
      continue;
    }
    const ObjectivePlan plan = find_best_plan(evaluator, objective, {});
    ASSERT_NEAR(plan.value, best, 1e-9 * (1 + best));
    ASSERT_NEAR(measured(evaluator, plan.plan.placement, objective), best, 1e-9 * (1 + best));
    ASSERT_EQ(plan.plan.gap, 0);
    ++feasible;
  }
  EXPECT_GT(feasible, 300);
}

TEST(Objective, CeilingsAreKeptAtTheLeastCost) {
  int bound = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const CostGraph costs = make_cost_graph(random_graph(seed, random), "random");
    const Evaluator evaluator(costs);
    const Objective energy = Objective::of(kMeasures[1 + seed % 3]);
    const double fastest = enumerate(evaluator, Objective::of(Measure::kLatency), {});
    if (std::isinf(fastest)) continue;
    const double factor = std::uniform_real_distribution<double>(0.9, 2)(random);
    const std::vector<Ceiling> deadline{{Measure::kLatency, factor * fastest}};
    const double best = enumerate(evaluator, energy, deadline);
    if (factor < 1) {
      EXPECT_TRUE(std::isinf(best));
      try {
        (void)find_best_plan(evaluator, energy, deadline);
        ADD_FAILURE();
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInfeasible);
        EXPECT_NE(std::string(error.what()).find("constraints.deadline: the fastest plan takes"),
                  std::string::npos);
      }
      continue;
    }
    const ObjectivePlan plan = find_best_plan(evaluator, energy, deadline);
    ASSERT_NEAR(plan.value, best, 1e-9 * (1 + best));
    ASSERT_LE(plan.plan.evaluation.latency_ms, factor * fastest * (1 + 1e-9));
    ASSERT_EQ(plan.plan.gap, 0);
    bound += enumerate(evaluator, energy, {}) < best * (1 - 1e-9);
  }
  EXPECT_GT(bound, 60);
}

TEST(Objective, FrontHoldsNothingThatIsBeaten) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const CostGraph costs = make_cost_graph(random_graph(seed, random), "random");
    const Evaluator evaluator(costs);
    const Measure second = kMeasures[1 + seed % 3];
    Front front;
    try {
      front = pareto_front(evaluator, Measure::kLatency, second, 9, {});
    } catch (const Error&) {
      continue;
    }
    ASSERT_TRUE(front.proven);
    for (const ObjectivePlan& plan : front.plans) {
      const double at_most = measured(evaluator, plan.plan.placement, Objective::of(second));
      const double best =
          enumerate(evaluator, Objective::of(Measure::kLatency), {{second, at_most}});
      ASSERT_NEAR(plan.plan.evaluation.latency_ms, best, 1e-9 * (1 + best));
    }
  }
}

}  // namespace
}  // namespace adamec::plan
