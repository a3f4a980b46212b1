// The look-up that run times embed: hysteresis, no allocation, hostile files.
#include "adamec/plan/atlas_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "adamec/base/error.h"
#include "adamec/plan/atlas/table.h"
#include "tests/unit/plan/count_allocations.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using ::testing::HasSubstr;

// Of the toy: plan 0 on the device, plan 1 on the edge from 2500 B / 3 ms on; the edge loads 500 B
// of weights at 1 B/ms.
v1::Atlas toy_atlas(double runs = 1, double load_rate = 1e3) {
  const CostGraph costs = testing::toy();
  v1::AtlasRanges message;
  v1::AtlasRange* range = message.add_ranges();
  range->set_quantity(v1::AtlasRange::BANDWIDTH);
  range->set_low(1e4);
  range->set_high(1e8);
  message.set_runs(runs);
  for (const char* tier : {"device", "edge"}) {
    if (load_rate <= 0) break;
    auto* rate = message.add_load_rates();
    rate->set_tier(tier);
    rate->set_bytes_per_second(load_rate);
  }
  const Atlas atlas = make_atlas(costs, make_ranges(message, costs, "toy"));
  return atlas_message(costs, message, atlas, 0);
}

TEST(AtlasLookup, PicksTheFastestPlanWhenNoneIsLoaded) {
  const AtlasTable table(toy_atlas(), "toy");
  double bandwidth = 1e5;
  EXPECT_EQ(advise(table.table(), &bandwidth, -1).plan, 0);
  EXPECT_DOUBLE_EQ(advise(table.table(), &bandwidth, -1).latency_ms, 15);
  bandwidth = 2.5e6;
  const Advice advice = advise(table.table(), &bandwidth, -1);
  EXPECT_EQ(advice.plan, 1);
  EXPECT_TRUE(advice.change);
  EXPECT_DOUBLE_EQ(advice.latency_ms, 13);
}

TEST(AtlasLookup, ChangesOnlyForMoreThanLoadingCosts) {
  // At 2.5e6 B/s plan 1 gains 2 ms a run; loading it takes 500 ms.
  const double bandwidth = 2.5e6;
  const auto advice_for = [&](double runs, int current) {
    const AtlasTable table(toy_atlas(runs), "toy");
    EXPECT_DOUBLE_EQ(table.switch_ms(0, 1), 500);
    EXPECT_DOUBLE_EQ(table.switch_ms(1, 1), 0);
    return advise(table.table(), &bandwidth, current);
  };
  EXPECT_EQ(advice_for(249, 0).plan, 0);
  EXPECT_FALSE(advice_for(249, 0).change);
  EXPECT_DOUBLE_EQ(advice_for(249, 0).latency_ms, 15);
  EXPECT_EQ(advice_for(251, 0).plan, 1);
  EXPECT_TRUE(advice_for(251, 0).change);
  EXPECT_NEAR(advice_for(251, 0).gain_ms, 2, 1e-9);
  EXPECT_FALSE(advice_for(251, 1).change) << "it is loaded already";
  const AtlasTable free(toy_atlas(1, 0), "toy");
  EXPECT_TRUE(advise(free.table(), &bandwidth, 0).change) << "loading takes no time";
}

TEST(AtlasLookup, ValuesOutsideTheRangesAreTakenForTheirEnds) {
  const AtlasTable table(toy_atlas(), "toy");
  for (const auto& [value, end] :
       {std::pair{1.0, 1e4}, std::pair{-5.0, 1e4}, std::pair{std::nan(""), 1e4},
        std::pair{1e12, 1e8}, std::pair{HUGE_VAL, 1e8}}) {
    EXPECT_EQ(advise(table.table(), &value, -1).latency_ms,
              advise(table.table(), &end, -1).latency_ms);
  }
  const double bandwidth = 1e5;
  EXPECT_EQ(advise(table.table(), &bandwidth, 99).plan, 0) << "no such plan is loaded";
}

TEST(AtlasLookup, AllocatesNothing) {
  const AtlasTable table(toy_atlas(), "toy");
  const int before = testing::allocations();
  double sum = 0;
  for (int i = 1; i < 1000; ++i) {
    const double bandwidth = 1e5 * i;
    sum += advise(table.table(), &bandwidth, i % 2).latency_ms;
  }
  EXPECT_EQ(testing::allocations(), before);
  EXPECT_GT(sum, 0);
}

TEST(AtlasFile, ReadsBackEqual) {
  const v1::Atlas atlas = toy_atlas();
  const std::string bytes = atlas.SerializeAsString();
  EXPECT_EQ(parse_atlas(bytes, "a.pb").SerializeAsString(), bytes);
}

void expect_refused(const std::string& message, const std::function<void(v1::Atlas&)>& damage) {
  v1::Atlas atlas = toy_atlas();
  damage(atlas);
  try {
    const AtlasTable table(parse_atlas(atlas.SerializeAsString(), "a.pb"), "a.pb");
    FAIL() << "accepted; expected " << message;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_THAT(error.what(), ::testing::StartsWith("a.pb: "));
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("\n")));
  }
}

TEST(AtlasFile, DamagedOnesAreRefusedInOneLine) {
  expect_refused("not an atlas", [](v1::Atlas& a) { a.clear_format_version(); });
  expect_refused("format version 99 is newer", [](v1::Atlas& a) { a.set_format_version(99); });
  expect_refused("tiers: 0 given", [](v1::Atlas& a) { a.clear_tiers(); });
  expect_refused("two tiers have the name", [](v1::Atlas& a) { a.set_tiers(1, "device"); });
  expect_refused("atlas: no ranges", [](v1::Atlas& a) { a.clear_ranges(); });
  expect_refused("plans: 0 given", [](v1::Atlas& a) { a.clear_plans(); });
  expect_refused("plans[0].placement: no tier 7",
                 [](v1::Atlas& a) { a.mutable_plans(0)->set_placement("\x07\x07"); });
  expect_refused("plans[0].placement: 1 entries, expected 2",
                 [](v1::Atlas& a) { a.mutable_plans(0)->mutable_placement()->resize(1); });
  expect_refused("plans[1].features: 3 entries, expected 2",
                 [](v1::Atlas& a) { a.mutable_plans(1)->add_features(1); });
  expect_refused("plans[1].features: nan",
                 [](v1::Atlas& a) { a.mutable_plans(1)->set_features(0, NAN); });
  expect_refused("plans[0].features: -1",
                 [](v1::Atlas& a) { a.mutable_plans(0)->set_features(1, -1); });
  expect_refused("plans[0].memory_bytes: 0 entries",
                 [](v1::Atlas& a) { a.mutable_plans(0)->clear_memory_bytes(); });
  expect_refused("plans[0].where", [](v1::Atlas& a) { a.mutable_plans(0)->clear_where(); });
  expect_refused("regions[0].plan: no plan 9",
                 [](v1::Atlas& a) { a.mutable_regions(0)->set_plan(9); });
  expect_refused("regions[1]: the regions do not ascend",
                 [](v1::Atlas& a) { a.mutable_regions(1)->set_low(0); });
  expect_refused("gap: nan", [](v1::Atlas& a) { a.set_gap(NAN); });
  expect_refused("atoms[0].id: expected an id",
                 [](v1::Atlas& a) { a.mutable_atoms(0)->clear_id(); });
  expect_refused("atoms[1].weight_bytes",
                 [](v1::Atlas& a) { a.mutable_atoms(1)->set_weight_bytes(UINT64_MAX); });
}

// Bytes changed, cut off or doubled at random: an Error, or an atlas whose look-ups are sound.
TEST(AtlasFile, RandomDamageNeverCrashes) {
  const std::string sound = toy_atlas().SerializeAsString();
  std::mt19937 random(20231);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = sound;
    for (int k = std::uniform_int_distribution<>(1, 4)(random); k > 0; --k) {
      const auto at = std::uniform_int_distribution<std::size_t>(0, bytes.size() - 1)(random);
      const int how = std::uniform_int_distribution<>(0, 9)(random);
      if (how == 0 && bytes.size() > 2) {
        bytes.resize(at + 1);
      } else if (how == 1) {
        bytes.insert(at, bytes.substr(at / 2, 16));
      } else {
        bytes[at] = static_cast<char>(std::uniform_int_distribution<>(0, 255)(random));
      }
    }
    try {
      const v1::Atlas atlas = parse_atlas(bytes, "a.pb");
      const AtlasTable table(atlas, "a.pb");
      const std::vector<double> values(atlas.ranges().ranges_size(), 1e6);
      const Advice advice = advise(table.table(), values.data(), 0);
      EXPECT_LT(advice.plan, atlas.plans_size());
      ++accepted;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::StartsWith("a.pb: "));
    }
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace adamec::plan
