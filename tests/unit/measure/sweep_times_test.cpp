#include "adamec/measure/sweep_times.h"

#include <gtest/gtest.h>

#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

using testing::make_context;

TEST(SweepTimes, SettleWhenTheLeastTwoAgreeWithinThreePercent) {
  const v1::Context unloaded = make_context(1, 0);
  EXPECT_FALSE((SweepTimes{{}, {100}}).settled(unloaded));
  EXPECT_TRUE((SweepTimes{{}, {100, 102.9}}).settled(unloaded));
  EXPECT_FALSE((SweepTimes{{}, {100, 103.1}}).settled(unloaded));
  EXPECT_TRUE((SweepTimes{{}, {150, 102.5, 100}}).settled(unloaded));
  EXPECT_FALSE((SweepTimes{{}, {150, 149, 100}}).settled(unloaded));
}

TEST(SweepTimes, SettleUnderLoadWhenTheMeanIsKnown) {
  const v1::Context loaded = make_context(1, 0.5);
  SweepTimes times;
  times.steady = {100, 100};  // says nothing here
  EXPECT_FALSE(times.settled(loaded));
  v1::Visit visit;
  visit.set_block_runs(1);
  visit.add_run_us(100);
  visit.add_run_cpu_us(50);
  times.series.add(visit);
  visit.set_run_us(0, 130);  // standard error of the mean: 15 of 115
  times.series.add(visit);
  EXPECT_FALSE(times.settled(loaded));
  visit.set_run_us(0, 115);
  for (int i = 0; i < 6; ++i) times.series.add(visit);  // 2.8 of 115
  EXPECT_TRUE(times.settled(loaded));
}

TEST(SweepTimes, HaveAsManyVisitsAsTheirKindNeeds) {
  EXPECT_EQ(most_visits(4, false, make_context(1, 0)), 12U);
  EXPECT_EQ(most_visits(4, true, make_context(1, 0)), 12U);
  EXPECT_EQ(most_visits(4, false, make_context(1, 0.5)), 12U);
  EXPECT_EQ(most_visits(4, true, make_context(1, 0.5)), 48U);
  EXPECT_EQ(most_visits(40, true, make_context(1, 0.5)), 64U);
}

}  // namespace
}  // namespace adamec::measure
