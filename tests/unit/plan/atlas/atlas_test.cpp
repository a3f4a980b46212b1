#include "adamec/plan/atlas/atlas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "adamec/base/error.h"
#include "adamec/plan/atlas/table.h"
#include "tests/unit/plan/brute_force.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using ::testing::HasSubstr;
using testing::toy;

v1::AtlasRange& add_range(v1::AtlasRanges& ranges, v1::AtlasRange::Quantity quantity, double low,
                          double high, const std::string& tier = "") {
  v1::AtlasRange* range = ranges.add_ranges();
  range->set_quantity(quantity);
  range->set_low(low);
  range->set_high(high);
  range->set_tier(tier);
  return *range;
}

// A load whose effect is a different factor per atom and segment.
void add_load(v1::AtlasRanges& ranges, const v1::CostGraph& message, std::mt19937& random) {
  v1::AtlasRange& range = add_range(ranges, v1::AtlasRange::LOAD, 0, 0.9, "device");
  std::vector<double> factors(message.atoms().size(), 1);
  for (double load : {0.0, 0.5, 0.9}) {
    auto* knot = range.add_knots();
    knot->set_load(load);
    for (int i = 0; i < message.atoms_size(); ++i) {
      knot->add_latency_ms(message.atoms(i).latency_ms(0) * factors[i]);
      factors[i] *= std::uniform_real_distribution<double>(1, 3)(random);
    }
  }
}

std::vector<double> random_values(const AtlasRanges& ranges, std::mt19937& random) {
  std::vector<double> values;
  for (const Range& range : ranges.ranges) {
    std::uniform_real_distribution<double> share(0, 1);
    const bool bandwidth = range.quantity == v1::AtlasRange::BANDWIDTH;
    values.push_back(bandwidth ? range.low * std::pow(range.high / range.low, share(random))
                               : range.low + (range.high - range.low) * share(random));
    if (range.is_memory()) values.back() = std::floor(values.back());
  }
  return values;
}

// The fastest plan at one point, found by itself; infinite when there is none.
double single_plan_ms(const CostGraph& costs, const AtlasModel& model,
                      const std::vector<double>& values) {
  CostGraph at = costs;
  model.apply(values, at);
  try {
    return find_optimal(Evaluator(at)).evaluation.latency_ms;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInfeasible) << error.what();
    return INFINITY;
  }
}

// Checks the atlas at random points against single plans. Returns the number of plans.
std::size_t check_atlas(const CostGraph& costs, const v1::AtlasRanges& message,
                        std::mt19937& random, int points) {
  const AtlasRanges ranges = make_ranges(message, costs, "test");
  const Atlas atlas = make_atlas(costs, ranges);
  const v1::Atlas file = atlas_message(costs, message, atlas, 0);
  const AtlasTable table(file, "test");
  const AtlasModel model(costs, ranges);
  for (int i = 0; i < points; ++i) {
    const std::vector<double> values = random_values(ranges, random);
    const double optimum = single_plan_ms(costs, model, values);
    const Advice advice = advise(table.table(), values.data(), -1);
    if (std::isinf(optimum)) {
      EXPECT_EQ(advice.plan, -1);
      continue;
    }
    EXPECT_GE(advice.plan, 0);
    if (advice.plan < 0) continue;
    EXPECT_LE(advice.latency_ms, optimum * (1 + atlas.gap) * (1 + 1e-8));
    CostGraph at = costs;
    model.apply(values, at);
    const Evaluation evaluation = Evaluator(at).evaluate(atlas.plans[advice.plan].placement);
    EXPECT_EQ(evaluation.infeasible, "");
    // On more than two tiers the placement may have shorter ways here than those it was found with.
    if (costs.tier_count() <= 2) {
      EXPECT_NEAR(evaluation.latency_ms, advice.latency_ms, 1e-8 * (1 + optimum));
    } else {
      EXPECT_LE(evaluation.latency_ms, advice.latency_ms + 1e-8 * (1 + optimum));
    }
  }
  return atlas.plans.size();
}

// State stays on one tier in all plans. The atlas says which, and is optimal among the plans that
// keep it there; with little bandwidth it would be better on the device, so it is not optimal
// among all plans.
TEST(Atlas, SaysOnWhichTierTheStateIs) {
  v1::CostGraph message = testing::toy_message();
  message.add_together("a");
  const CostGraph costs = make_cost_graph(message, "toy");
  v1::AtlasRanges ranges_message;
  add_range(ranges_message, v1::AtlasRange::BANDWIDTH, 1e4, 1e8);
  const AtlasRanges ranges = make_ranges(ranges_message, costs, "toy");
  const Atlas atlas = make_atlas(costs, ranges);
  const int tier = find_optimal(Evaluator(costs)).placement[0];
  EXPECT_EQ(tier, 1);
  EXPECT_EQ(atlas.state_tier, tier);
  EXPECT_EQ(atlas.gap, 0);
  for (const AtlasPlan& plan : atlas.plans) EXPECT_EQ(plan.placement[0], tier);
  const v1::Atlas file = atlas_message(costs, ranges_message, atlas, 0);
  EXPECT_EQ(file.state_tier(), "edge");
  const AtlasTable table(file, "test");
  CostGraph bound = costs;
  bound.shared_state.clear();
  bound.atoms[0].allowed = {0, 1};
  const AtlasModel model(costs, ranges);
  const std::vector<double> slow{1e4};
  const double ours = advise(table.table(), slow.data(), -1).latency_ms;
  EXPECT_DOUBLE_EQ(ours, single_plan_ms(bound, model, slow));
  EXPECT_GT(ours, single_plan_ms(costs, model, slow) * 2);
  v1::Atlas wrong = file;
  wrong.set_state_tier("cloud");
  EXPECT_THROW(AtlasTable(wrong, "test"), Error);
}

// No plan of an atlas has more blocks or moves than a different placement that costs the same
// everywhere in the ranges.
TEST(Atlas, PlansAreTheSmallestOfTheirCost) {
  int told_apart = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    v1::CostGraph message = testing::random_cost_graph(random, 7);
    for (auto& atom : *message.mutable_atoms()) {
      for (int tier = 0; tier < 2; ++tier) {
        atom.set_latency_ms(tier, std::uniform_int_distribution<int>(0, 2)(random));
      }
    }
    for (auto& tensor : *message.mutable_tensors()) {
      tensor.set_bytes(std::uniform_int_distribution<std::uint64_t>(0, 2)(random));
    }
    for (auto& link : *message.mutable_links()) link.set_latency_ms(seed % 2);
    for (auto& tier : *message.mutable_tiers()) tier.clear_memory_bytes();
    if (message.links_size() < 2) continue;
    const CostGraph costs = make_cost_graph(message, "random");
    v1::AtlasRanges ranges_message;
    add_range(ranges_message, v1::AtlasRange::BANDWIDTH, 1e2, 1e5);
    const AtlasRanges ranges = make_ranges(ranges_message, costs, "random");
    const AtlasModel model(costs, ranges);
    const Evaluator evaluator(costs);
    for (const AtlasPlan& plan : make_atlas(costs, ranges).plans) {
      const PlanSize size = evaluator.size(plan.placement);
      for (std::uint32_t bits = 0; bits < 1u << costs.atom_count(); ++bits) {
        Placement other;
        for (int i = 0; i < costs.atom_count(); ++i) other.push_back(bits >> i & 1);
        if (!evaluator.allowed(other)) continue;
        const std::vector<double> features = model.features(evaluator, other);
        bool same = true;
        for (std::size_t i = 0; i < features.size(); ++i) {
          same = same && std::abs(features[i] - plan.features[i]) < 1e-9;
        }
        if (!same) continue;
        ASSERT_GE(evaluator.size(other), size);
        told_apart += evaluator.size(other) > size;
      }
    }
  }
  EXPECT_GT(told_apart, 15);
}

TEST(Atlas, ToyBreakpointsAreExact) {
  const CostGraph costs = toy();
  v1::AtlasRanges message;
  add_range(message, v1::AtlasRange::BANDWIDTH, 1e4, 1e8);
  const AtlasRanges ranges = make_ranges(message, costs, "toy");
  const Atlas atlas = make_atlas(costs, ranges);
  // On the device: 15 ms. On the edge: 2 + 10 ms of moves, 2000 B up and 1000 B down at twice the
  // rate: 2500 B; so they break even at 2500 B in 3 ms.
  ASSERT_EQ(atlas.regions.size(), 2u);
  EXPECT_EQ(atlas.regions[0].low, 1e4);
  EXPECT_DOUBLE_EQ(atlas.regions[0].high, 2500 / 3e-3);
  EXPECT_EQ(atlas.regions[1].low, atlas.regions[0].high);
  EXPECT_EQ(atlas.regions[1].high, 1e8);
  EXPECT_EQ(atlas.plans[atlas.regions[0].plan].placement, (Placement{0, 0}));
  EXPECT_EQ(atlas.plans[atlas.regions[1].plan].placement, (Placement{1, 1}));
  EXPECT_EQ(atlas.gap, 0);
  EXPECT_EQ(atlas.plans[0].where[0].high, atlas.regions[0].high);
}

TEST(Atlas, EqualsSinglePlansAlongTheBandwidth) {
  std::size_t most = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const v1::CostGraph message = testing::random_cost_graph(random, 12);
    v1::AtlasRanges ranges;
    if (message.links().empty()) continue;
    add_range(ranges, v1::AtlasRange::BANDWIDTH, 1e3, 1e8);
    const CostGraph costs = make_cost_graph(message, "random");
    try {
      most = std::max(most, check_atlas(costs, ranges, random, 30));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInfeasible) << error.what();
    }
  }
  EXPECT_GE(most, 4u);
}

TEST(Atlas, EqualsSinglePlansOverSeveralParameters) {
  std::size_t most = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const v1::CostGraph message = testing::random_cost_graph(random, 10);
    v1::AtlasRanges ranges;
    add_range(ranges, v1::AtlasRange::SLOWDOWN, 0.25, 4, "edge");
    if (seed % 2 == 0) add_load(ranges, message, random);
    for (const auto& link : message.links()) {
      if (seed % 3 == 0 && link.from() == "edge") continue;
      v1::AtlasRange& range = add_range(ranges, v1::AtlasRange::BANDWIDTH, 1e4, 1e7);
      range.set_from(link.from());
      range.set_to(link.to());
    }
    if (ranges.ranges_size() < 3 && !message.links().empty()) {
      add_range(ranges, v1::AtlasRange::LATENCY, 0, 20);
    }
    const CostGraph costs = make_cost_graph(message, "random");
    try {
      most = std::max(most, check_atlas(costs, ranges, random, 30));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInfeasible) << error.what();
    }
  }
  EXPECT_GE(most, 6u);
}

// A third tier behind the edge: tensors and control pass the edge, or a slow direct link.
void add_cloud(v1::CostGraph& message, std::mt19937& random) {
  message.add_tiers()->set_name("cloud");
  std::uniform_real_distribution<double> share(0.05, 1);
  for (auto& atom : *message.mutable_atoms()) {
    atom.add_latency_ms(atom.latency_ms(1) * share(random));
  }
  const auto add_link = [&](const char* from, const char* to, double rate, double latency) {
    auto* link = message.add_links();
    link->set_from(from);
    link->set_to(to);
    link->set_bytes_per_second(rate);
    link->set_latency_ms(latency);
  };
  add_link("edge", "cloud", 2e6 * share(random), 3 * share(random));
  add_link("cloud", "edge", 2e6 * share(random), 3 * share(random));
  if (random() % 2 == 0) add_link("cloud", "device", 5e5 * share(random), 4 * share(random));
}

TEST(Atlas, EqualsSinglePlansOnThreeTiers) {
  std::size_t most = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    v1::CostGraph message = testing::random_cost_graph(random, 8);
    add_cloud(message, random);
    v1::AtlasRanges ranges;
    if (seed % 2 == 0) {
      add_range(ranges, v1::AtlasRange::BANDWIDTH, 1e3, 1e8);
    } else {
      v1::AtlasRange& range = add_range(ranges, v1::AtlasRange::BANDWIDTH, 1e4, 1e7);
      range.set_from("edge");
      range.set_to("cloud");
      add_range(ranges, v1::AtlasRange::SLOWDOWN, 0.25, 4, "cloud");
    }
    if (seed % 3 == 0) add_range(ranges, v1::AtlasRange::LATENCY, 0, 10);
    const CostGraph costs = make_cost_graph(message, "random");
    try {
      most = std::max(most, check_atlas(costs, ranges, random, 20));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInfeasible) << error.what();
    }
  }
  EXPECT_GE(most, 4u);
}

TEST(Atlas, EqualsSinglePlansOverMemoryAndBandwidth) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    v1::CostGraph message = testing::random_cost_graph(random, 8);
    for (auto& tier : *message.mutable_tiers()) tier.clear_memory_bytes();
    v1::AtlasRanges ranges;
    if (!message.links().empty()) add_range(ranges, v1::AtlasRange::BANDWIDTH, 1e3, 1e8);
    add_range(ranges, v1::AtlasRange::MEMORY, 1, 500, seed % 2 == 0 ? "device" : "edge");
    const CostGraph costs = make_cost_graph(message, "random");
    try {
      check_atlas(costs, ranges, random, 40);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInfeasible) << error.what();
    }
  }
}

TEST(Atlas, LimitsLeaveAnHonestGapAndToleranceLeavesPlansOut) {
  std::mt19937 random(30);
  const v1::CostGraph message = testing::random_cost_graph(random, 12);
  const CostGraph costs = make_cost_graph(message, "random");
  v1::AtlasRanges ranges;
  add_range(ranges, v1::AtlasRange::BANDWIDTH, 1e3, 1e8);
  add_range(ranges, v1::AtlasRange::SLOWDOWN, 0.1, 10, "device");
  const AtlasRanges exact = make_ranges(ranges, costs, "test");
  const Atlas whole = make_atlas(costs, exact);
  ASSERT_GT(whole.plans.size(), 3u);
  EXPECT_EQ(whole.gap, 0);
  AtlasLimits limits;
  limits.searches = 5;
  const Atlas cut_short = make_atlas(costs, exact, limits);
  EXPECT_EQ(cut_short.searches, 5);
  EXPECT_GT(cut_short.gap, 0);
  ranges.set_tolerance(0.2);
  const Atlas coarse = make_atlas(costs, make_ranges(ranges, costs, "test"));
  EXPECT_LT(coarse.plans.size(), whole.plans.size());
  EXPECT_GT(coarse.gap, 0);
  EXPECT_LE(coarse.gap, 0.2 * (1 + 1e-9));
  const AtlasModel model(costs, exact);
  for (int i = 0; i < 200; ++i) {
    const std::vector<double> values = random_values(exact, random);
    const std::vector<double> weights = model.weights(values);
    const double optimum = single_plan_ms(costs, model, values);
    for (const Atlas* atlas : {&cut_short, &coarse}) {
      double best = INFINITY;
      for (const AtlasPlan& plan : atlas->plans) {
        double ms = 0;
        for (std::size_t k = 0; k < weights.size(); ++k) ms += weights[k] * plan.features[k];
        best = std::min(best, ms);
      }
      EXPECT_LE(best, optimum * (1 + atlas->gap) * (1 + 1e-9));
    }
  }
}

TEST(Atlas, WithoutAnyPlanIsInfeasible) {
  v1::CostGraph message = testing::toy_message();
  message.mutable_tiers(0)->set_memory_bytes(60);
  message.mutable_tiers(1)->set_memory_bytes(60);
  const CostGraph costs = make_cost_graph(message, "toy");
  v1::AtlasRanges ranges;
  add_range(ranges, v1::AtlasRange::BANDWIDTH, 1e3, 1e6);
  try {
    (void)make_atlas(costs, make_ranges(ranges, costs, "toy"));
    FAIL() << "found one";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInfeasible);
  }
}

void expect_refused(const v1::AtlasRanges& ranges, const std::string& message) {
  try {
    (void)make_ranges(ranges, toy(), "f.json");
    FAIL() << "accepted; expected " << message;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith("f.json: atlas"));
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(AtlasRanges, BadOnesAreRefusedInOneLine) {
  v1::AtlasRanges ranges;
  expect_refused(ranges, "no ranges, so nothing changes");
  ranges.add_ranges();
  expect_refused(ranges, "atlas.ranges[0].quantity: expected BANDWIDTH");
  const auto with = [&](v1::AtlasRange::Quantity quantity, double low, double high,
                        const std::string& tier = "") {
    v1::AtlasRanges one;
    add_range(one, quantity, low, high, tier);
    return one;
  };
  expect_refused(with(v1::AtlasRange::BANDWIDTH, 0, 5), "atlas.bandwidth: 0 is not a bandwidth");
  expect_refused(with(v1::AtlasRange::BANDWIDTH, 5, 5), "the range from 5 to 5 is empty");
  expect_refused(with(v1::AtlasRange::BANDWIDTH, 5, NAN), "nan is not a bandwidth");
  expect_refused(with(v1::AtlasRange::BANDWIDTH, 5, INFINITY), "inf is not a bandwidth");
  expect_refused(with(v1::AtlasRange::SLOWDOWN, 1, 2, "fog"),
                 "atlas.slowdown fog: unknown tier 'fog'");
  expect_refused(with(v1::AtlasRange::LOAD, 0, 1.5, "edge"), "1.5 is not a load");
  expect_refused(with(v1::AtlasRange::LOAD, 0, 0.5, "edge"), "0 knots (expected 2 to 32)");
  expect_refused(with(v1::AtlasRange::MEMORY, 0, 5, "edge"), "0 is not a number of bytes");
  v1::AtlasRanges link = with(v1::AtlasRange::LATENCY, 0, 1);
  link.mutable_ranges(0)->set_from("edge");
  expect_refused(link, "unknown tier ''");
  link.mutable_ranges(0)->set_to("edge");
  expect_refused(link, "there is no link from 'edge' to 'edge'");
  v1::AtlasRanges twice = with(v1::AtlasRange::BANDWIDTH, 1, 2);
  add_range(twice, v1::AtlasRange::BANDWIDTH, 1, 2).set_from("edge");
  twice.mutable_ranges(1)->set_to("device");
  expect_refused(twice, "two ranges change");
  v1::AtlasRanges knots = with(v1::AtlasRange::LOAD, 0, 0.5, "edge");
  for (double load : {0.0, 0.5}) {
    auto* knot = knots.mutable_ranges(0)->add_knots();
    knot->set_load(load);
    knot->add_latency_ms(1);
  }
  expect_refused(knots, "1 latencies at load 0, expected 2, one per atom");
  v1::AtlasRanges tolerant = with(v1::AtlasRange::BANDWIDTH, 1, 2);
  tolerant.set_tolerance(2);
  expect_refused(tolerant, "atlas.tolerance: 2 is not a share");
}

}  // namespace
}  // namespace adamec::plan
