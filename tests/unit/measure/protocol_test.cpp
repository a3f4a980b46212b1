#include "adamec/measure/protocol.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

using testing::FakeClock;
using testing::FakeContextControl;
using testing::FakeRunnable;
using testing::make_context;

// `count` runnables of 1 ms, measured in uncontended and, `loaded`, in contended contexts.
struct Bench {
  explicit Bench(std::size_t count, bool loaded = false) {
    contexts.push_back(make_context(1, 0));
    if (loaded) contexts.push_back(make_context(1, 0.5));
    for (std::size_t i = 0; i < count; ++i) {
      runnables.push_back(std::make_unique<FakeRunnable>(clock, std::vector<double>{1000}));
      runnables.back()->name = std::to_string(i);
      runnables.back()->last = &last;
      jobs.push_back({runnables.back().get(), {0}, {}, {}});
      if (loaded) jobs.back().contexts.push_back(1);
    }
  }
  RoundResult measure(const RoundOptions& options) {
    RoundEvents events;
    events.on_visit = [this](std::size_t job, std::size_t context, const v1::Visit& visit) {
      visits.push_back(last);
      EXPECT_EQ(std::to_string(job), last);
      records.emplace_back(context, visit);
    };
    events.on_reading = [this](std::size_t, const v1::Reading&) { ++readings; };
    return measure_round(jobs, contexts, control, clock, options, events);
  }

  FakeClock clock;
  FakeContextControl control;
  std::string last;
  std::vector<std::string> visits;  // names, in order
  std::vector<std::pair<std::size_t, v1::Visit>> records;
  int readings = 0;
  std::vector<v1::Context> contexts;
  std::vector<std::unique_ptr<FakeRunnable>> runnables;
  std::vector<Job> jobs;
};

TEST(Shuffled, IsAPermutationOfTheSeedAlone) {
  for (std::uint64_t seed : {0ULL, 1ULL, 123456789012345ULL}) {
    std::vector<std::size_t> order = shuffled(50, seed, 3);
    EXPECT_EQ(order, shuffled(50, seed, 3));
    EXPECT_NE(order, shuffled(50, seed + 1, 3));
    EXPECT_NE(order, shuffled(50, seed, 4));
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
  }
  EXPECT_TRUE(shuffled(0, 1, 1).empty());
}

TEST(MeasureRound, VisitsAllInEveryPassInChangingOrder) {
  Bench bench(20);
  RoundOptions options;
  options.seed = 7;
  const RoundResult result = bench.measure(options);
  EXPECT_EQ(bench.visits.size(), 80U);
  EXPECT_EQ(result.passes, 4U);
  for (const JobResult& job : result.jobs) EXPECT_EQ(job.series[0].visits(), 4U);
  std::set<std::vector<std::string>> orders;
  for (int pass = 0; pass < 4; ++pass) {
    const auto first = bench.visits.begin() + 20 * pass;
    EXPECT_EQ(std::set<std::string>(first, first + 20).size(), 20U) << "pass " << pass;
    orders.insert(std::vector<std::string>(first, first + 20));
  }
  EXPECT_EQ(orders.size(), 4U);

  Bench again(20);
  again.measure(options);
  EXPECT_EQ(again.visits, bench.visits);
}

TEST(MeasureRound, InterleavesContexts) {
  Bench bench(5, true);
  const RoundResult result = bench.measure({});
  EXPECT_EQ(bench.visits.size(), 40U);
  ASSERT_EQ(bench.control.entered.size(), 8U);
  for (int pass = 0; pass < 4; ++pass) {
    EXPECT_NE(bench.control.entered[2 * pass], bench.control.entered[2 * pass + 1]);
  }
  EXPECT_EQ(bench.readings, 8);
  EXPECT_DOUBLE_EQ(machine::observed_context(bench.contexts[0], result.readings[0]).cpu_load(), 0);
  EXPECT_DOUBLE_EQ(machine::observed_context(bench.contexts[1], result.readings[1]).cpu_load(),
                   0.25);
  for (const JobResult& job : result.jobs) {
    EXPECT_EQ(job.series[0].visits(), 4U);
    EXPECT_EQ(job.series[1].visits(), 4U);
  }
}

TEST(MeasureRound, LeavesOutContextsNotAskedFor) {
  Bench bench(2, true);
  bench.jobs[0].contexts = {1};
  bench.jobs[1].contexts = {1};
  const RoundResult result = bench.measure({});
  EXPECT_EQ(result.jobs[0].series[0].visits(), 0U);
  EXPECT_EQ(result.jobs[0].series[1].visits(), 4U);
  EXPECT_EQ(bench.control.entered, std::vector<double>(4, 0.5));
}

TEST(MeasureRound, GoesOnWithoutAJobThatFails) {
  Bench bench(3);
  bench.runnables[1]->fail_at = 20;  // in its second visit
  const RoundResult result = bench.measure({});
  EXPECT_EQ(result.jobs[1].failure, "fake: broken");
  EXPECT_EQ(result.jobs[1].series[0].visits(), 1U);
  for (int job : {0, 2}) {
    EXPECT_EQ(result.jobs[job].failure, "");
    EXPECT_EQ(result.jobs[job].series[0].visits(), 4U);
  }
}

TEST(MeasureRound, EndsWhenAllFail) {
  Bench bench(2);
  for (auto& runnable : bench.runnables) runnable->fail_at = 0;
  EXPECT_EQ(bench.measure({}).passes, 1U);
}

TEST(MeasureRound, MakesFewerVisitsWhereSomeWereMadeEarlier) {
  Bench first(2, true);
  first.measure({});
  Bench second(2, true);
  for (int i = 0; i < 3; ++i) second.jobs[1].earlier.emplace(1, first.records[0].second);
  const RoundResult result = second.measure({});
  EXPECT_EQ(second.visits.size(), 4 + 4 + 4 + 1U);
  for (const JobResult& job : result.jobs) {
    EXPECT_EQ(job.series[0].visits(), 4U);
    EXPECT_EQ(job.series[1].visits(), 4U);
  }
}

}  // namespace
}  // namespace adamec::measure
