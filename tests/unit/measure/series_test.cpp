#include "adamec/measure/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

using testing::FakeClock;
using testing::FakeRunnable;
using testing::FakeSteps;
using testing::make_context;

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  EXPECT_EQ(quantile({7}, 0.5), 7);
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_EQ(quantile({1, 2, 3, 4, 5}, 0.25), 2);
  EXPECT_DOUBLE_EQ(quantile({0, 10}, 0.95), 9.5);
  EXPECT_EQ(quantile({1, 2, 3}, 1), 3);
}

TEST(Series, WarmsUpThenTimesSlowRunsOneByOne) {
  FakeClock clock;
  FakeRunnable runnable(clock, {90e3, 80e3, 39e3, 1, 20e3, 1, 35e3, 1, 30e3});
  Series series;
  series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_EQ(runnable.runs, 3U);  // two warm-ups; the one that finds the block length is measured
  for (int i = 0; i < 3; ++i) series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_EQ(runnable.runs, 9U);  // one to fill the caches and one measured each
  const v1::Latency latency = series.latency();
  EXPECT_EQ(latency.visits(), 4U);
  EXPECT_EQ(latency.runs(), 4U);
  EXPECT_DOUBLE_EQ(latency.min_us(), 20e3);
  EXPECT_DOUBLE_EQ(latency.p50_us(), 32.5e3);
  EXPECT_DOUBLE_EQ(latency.p95_us(), 38.4e3);
  EXPECT_DOUBLE_EQ(latency.iqr_us(), 36e3 - 27.5e3);
  EXPECT_DOUBLE_EQ(latency.cpu_us(), 16.25e3);
  EXPECT_DOUBLE_EQ(latency.even_min_us(), 35e3);  // visits 0 and 2
  EXPECT_DOUBLE_EQ(latency.odd_min_us(), 20e3);   // visits 1 and 3
  EXPECT_DOUBLE_EQ(latency.mean_us(), 31e3);
  EXPECT_DOUBLE_EQ(latency.even_mean_us(), 37e3);
  EXPECT_DOUBLE_EQ(latency.odd_mean_us(), 25e3);
  EXPECT_DOUBLE_EQ(latency.steady_us(), 23e3);  // three tenths of the way from 20 to 30
  EXPECT_DOUBLE_EQ(latency.even_steady_us(), 35.4e3);
  EXPECT_DOUBLE_EQ(latency.odd_steady_us(), 21e3);
}

TEST(Series, RunsThatTakeLongNeedNoFullCaches) {
  FakeClock clock;
  FakeRunnable runnable(clock, {50e3});
  Series series;
  for (int i = 0; i < 4; ++i) series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_EQ(runnable.runs, 6U);  // two warm-ups and one measured for each visit
  EXPECT_EQ(series.latency().first_us(), 0);
}

TEST(Series, SteadyTimesDoNotFollowTheCoreSpeed) {
  FakeClock clock;
  FakeRunnable runnable(clock, {20e3, 20e3, 20e3, 20e3, 20e3, 25e3, 25e3});
  Series series;
  for (const double speed : {1000, 1000, 800}) {
    clock.speed = speed;  // as the frequency falls by a fifth, runs take a quarter longer
    series.visit(runnable, clock, visit_options(make_context(1, 0)));
  }
  const v1::Latency latency = series.latency();
  EXPECT_EQ(runnable.runs, 7U);
  EXPECT_DOUBLE_EQ(latency.core_speed(), 1000);
  EXPECT_DOUBLE_EQ(latency.steady_us(), 20e3);
  EXPECT_DOUBLE_EQ(latency.even_steady_us(), 20e3);
  EXPECT_DOUBLE_EQ(latency.odd_steady_us(), 20e3);
  EXPECT_DOUBLE_EQ(latency.mean_us(), (20e3 + 20e3 + 25e3) / 3);
  EXPECT_DOUBLE_EQ(series.steady_steps(), 20e6);
}

TEST(Series, WithoutCoreSpeedsThereIsNoSteadyTime) {
  FakeClock clock;
  FakeRunnable runnable(clock, {20e3});
  Series series;
  v1::Visit visit = series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_GT(series.latency().steady_us(), 0);
  visit.clear_core_speed();  // a journal of before they were read
  series.add(visit);
  EXPECT_EQ(series.latency().steady_us(), 0);
  EXPECT_EQ(series.latency().core_speed(), 0);
  EXPECT_DOUBLE_EQ(series.steady_steps(), 20e3);  // the least, in us
}

TEST(Series, TakesOverABlockLengthFoundBefore) {
  FakeClock clock;
  FakeRunnable runnable(clock, {2});
  Series series(150);
  const v1::Visit visit = series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_EQ(visit.block_runs(), 150U);
  EXPECT_EQ(runnable.runs, 2 + series.latency().runs());  // warm-ups, and nothing to find it
}

TEST(SystemClock, CoreSpeedIsThatOfSomeMachine) {
  // One step takes a few cycles: 7,000 of them neither no time nor a whole time slice.
  const machine::SystemClock clock;
  double most = 0;
  for (int i = 0; i < 100; ++i) most = std::max(most, clock.core_speed());
  EXPECT_GT(most, 7);
  EXPECT_LT(most, 10e3);
}

TEST(Series, TimesShortRunsInBlocks) {
  FakeClock clock;
  FakeRunnable runnable(clock, {2});
  Series series;
  series.visit(runnable, clock, visit_options(make_context(1, 0)));
  const v1::Latency latency = series.latency();
  EXPECT_DOUBLE_EQ(latency.min_us(), 2);
  EXPECT_DOUBLE_EQ(latency.p95_us(), 2);
  EXPECT_DOUBLE_EQ(latency.cpu_us(), 1);
  // Whole blocks of at least 200 us, for 10 to 15 ms.
  EXPECT_GE(latency.runs() * 2, 10'000U);
  EXPECT_LE(latency.runs() * 2, 15'000U);
}

TEST(Series, BlocksUnderLoadSpanTheBursts) {
  const VisitOptions loaded = visit_options(make_context(1, 0.5));
  EXPECT_GE(loaded.block_us, 10e3);
  EXPECT_GE(loaded.visit_us, 2 * loaded.block_us);
  FakeClock clock;
  // Every tenth millisecond the other process has the CPU for 5 ms.
  std::vector<double> times(2000, 1000);
  for (std::size_t i = 0; i < times.size(); i += 5) times[i] = 6000;
  FakeRunnable runnable(clock, times);
  Series series;
  for (int i = 0; i < 4; ++i) series.visit(runnable, clock, loaded);
  EXPECT_NEAR(series.latency().p50_us(), 2000, 300);
}

TEST(Series, TellsHowWellItsMeanIsKnown) {
  Series series;
  EXPECT_EQ(series.relative_error(), std::numeric_limits<double>::infinity());
  v1::Visit visit;
  visit.set_block_runs(1);
  for (const double us : {90, 110}) {  // the mean of each visit counts once
    visit.clear_run_us();
    for (const double run_us : {us - 5, us + 5}) {
      visit.add_run_us(run_us);
      visit.add_run_cpu_us(run_us);
    }
    series.add(visit);
  }
  EXPECT_DOUBLE_EQ(series.latency().mean_us(), 100);
  EXPECT_DOUBLE_EQ(series.relative_error(), 0.1);  // deviation sqrt(200), of two visits
}

TEST(Series, TimesTheFirstRunOfAVisit) {
  FakeClock clock;
  // Warm-ups and the first visit; then a cold run before each visit's blocks.
  FakeRunnable runnable(clock, {1e4, 1e4, 1e4, 5e4, 1e4, 4e4, 1e4});
  Series series;
  series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_EQ(series.latency().first_us(), 0);
  for (int i = 0; i < 2; ++i) series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_DOUBLE_EQ(series.latency().first_us(), 4e4);
  EXPECT_DOUBLE_EQ(series.latency().min_us(), 1e4);
}

TEST(Series, VisitsCanBeAddedLater) {
  FakeClock clock;
  FakeRunnable runnable(clock, {700, 600, 500, 400, 300, 800, 900, 450});
  Series series;
  Series copy;
  for (int i = 0; i < 4; ++i) {
    copy.add(series.visit(runnable, clock, visit_options(make_context(1, 0))));
  }
  EXPECT_EQ(copy.visits(), 4U);
  EXPECT_EQ(copy.latency().SerializeAsString(), series.latency().SerializeAsString());
  copy.add({});
  EXPECT_EQ(copy.visits(), 4U);
}

TEST(Series, KeepsTheLeastTimeOfEveryStep) {
  FakeClock clock;
  FakeSteps steps(clock, {10e3, 20e3});
  Series series;
  const v1::Visit visit = series.visit(steps, clock, visit_options(make_context(1, 0)));
  // After two warm-ups, each 1 us slower. The run has been counted when its steps are read.
  ASSERT_EQ(visit.step_us_size(), 2);
  EXPECT_DOUBLE_EQ(visit.step_us(0), 10e3 + 3);
  series.visit(steps, clock, visit_options(make_context(1, 0)));
  EXPECT_EQ(series.step_us(), (std::vector<double>{10e3 + 3, 20e3 + 3}));
}

TEST(Series, MergesWhatAnotherSeriesMeasured) {
  FakeClock clock;
  FakeSteps slow(clock, {10e3, 25e3});
  FakeSteps fast(clock, {8e3, 26e3});
  Series series;
  EXPECT_EQ(series.steady_steps(), std::numeric_limits<double>::infinity());
  series.visit(slow, clock, visit_options(make_context(1, 0)));
  Series other;
  other.visit(fast, clock, visit_options(make_context(1, 0)));
  const double runs = series.latency().runs() + other.latency().runs();
  series.merge(other);
  EXPECT_EQ(series.visits(), 2U);
  EXPECT_EQ(series.latency().runs(), runs);
  EXPECT_EQ(series.step_us(), (std::vector<double>{8e3 + 3, 25e3 + 3}));
  EXPECT_EQ(series.latency().min_us(), other.latency().min_us());
  series.merge(Series());
  EXPECT_EQ(series.visits(), 2U);
  EXPECT_GT(series.latency().even_min_us(), series.latency().odd_min_us());
}

TEST(Series, BlocksWithAQuotaSpanItsPeriods) {
  v1::Context context = make_context(1, 0);
  context.set_cpu_quota(0.5);
  EXPECT_GE(visit_options(context).block_us, 40e3);
}

TEST(Series, CalibrationEndsWhenTheClockStandsStill) {
  FakeClock clock;
  std::vector<double> times(100, 0);
  times.push_back(300);
  FakeRunnable runnable(clock, times);
  Series series;
  series.visit(runnable, clock, visit_options(make_context(1, 0)));
  EXPECT_EQ(series.visits(), 1U);
}

}  // namespace
}  // namespace adamec::measure
