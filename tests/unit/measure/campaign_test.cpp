#include "adamec/measure/campaign.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>

#include "adamec/base/error.h"
#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

using testing::FakeClock;
using testing::FakeContextControl;
using testing::FakeRunnable;
using testing::graph_of;
using testing::make_context;

constexpr double kRunUs = 1000;

// A manifest of unrelated atoms with different operators, and everything to measure them with.
class CampaignTest : public ::testing::Test {
 protected:
  void make_atoms(int count) {
    manifest_.set_model_name("net");
    for (int i = 0; i < count; ++i) {
      v1::Atom& atom = *manifest_.add_atoms();
      atom.set_id("atom" + std::to_string(i));
      atom.set_kind(v1::OPERATOR);
      atom.set_weight_bytes(1000);
      v1::Operator& op = *atom.add_operators();
      op.set_name("aten::op" + std::to_string(i));
      op.set_backend_one_thread("One");
      op.set_backend_many_threads("Many");
    }
    graph_ = graph_of(manifest_);
    const WorkSource sources[] = {{&manifest_, &graph_}};
    plan_ = make_work_items(sources, {});
    for (const WorkItem& item : plan_) {
      items_.push_back({&item, {}, {}});
      for (std::size_t i = 0; i < contexts_.size(); ++i) items_.back().contexts.push_back(i);
    }
  }

  CampaignResult run() {
    progress_ = {};
    const Loader load = [this](const WorkItem& item) -> std::unique_ptr<Runnable> {
      loaded_.push_back(item.name);
      if (item.name == unloadable_) fail("{}: no such operator", item.name);
      const double us = kRunUs * (drift_ ? drift_(loaded_.size()) : 1);
      auto runnable = std::make_unique<FakeRunnable>(clock_, std::vector<double>{us});
      if (item.name == unrunnable_ || loaded_.size() == fails_at_load_) runnable->fail_at = 0;
      return runnable;
    };
    options_.host_id = "host";
    options_.run_id = "run";
    CampaignEvents events;
    events.on_visit = [this](const v1::Visit& visit) { visits_.push_back(visit); };
    events.on_progress = [this](const CampaignProgress& progress) {
      EXPECT_GE(progress.done_us, progress_.done_us);
      progress_ = progress;
    };
    events.on_round = [this](const std::vector<v1::Sample>& samples) {
      saved_.push_back(samples.size());
    };
    return run_campaign(items_, contexts_, load, control_, clock_, options_, events);
  }

  std::vector<v1::Context> contexts_{make_context(1, 0)};
  v1::Manifest manifest_;
  graph::AtomGraph graph_;
  std::vector<WorkItem> plan_;
  std::vector<CampaignItem> items_;
  CampaignOptions options_;
  FakeClock clock_;
  FakeContextControl control_;
  std::string unloadable_;
  std::string unrunnable_;
  std::size_t fails_at_load_ = 0;
  std::function<double(std::size_t loads)> drift_;  // factor of the times
  std::vector<std::string> loaded_;
  std::vector<v1::Visit> visits_;
  CampaignProgress progress_;
  std::vector<std::size_t> saved_;
};

TEST_F(CampaignTest, SamplesComeInTheOrderOfItemsAndContexts) {
  contexts_ = {make_context(1, 0), make_context(1, 0.5), make_context(2, 0)};
  make_atoms(40);
  const CampaignResult result = run();
  EXPECT_EQ(result.measured, 40U);
  EXPECT_EQ(result.left_out, 0U);
  EXPECT_TRUE(result.failures.empty());
  ASSERT_EQ(result.samples.size(), 120U);
  for (std::size_t i = 0; i < result.samples.size(); ++i) {
    const v1::Sample& sample = result.samples[i];
    EXPECT_EQ(sample.sample_atom(), "net/atom" + std::to_string(i / 3));
    EXPECT_EQ(sample.signature(), plan_[i / 3].signature());
    EXPECT_EQ(sample.context().threads(), contexts_[i % 3].threads());
    EXPECT_EQ(sample.context().cpu_load(), contexts_[i % 3].cpu_load());
    EXPECT_EQ(sample.observed().cpu_load(), contexts_[i % 3].cpu_load() / 2);
    EXPECT_EQ(sample.backend(), i % 3 == 2 ? "Many" : "One");
    EXPECT_EQ(sample.host_id(), "host");
    EXPECT_DOUBLE_EQ(sample.latency().p50_us(), kRunUs);
    EXPECT_EQ(sample.round(), result.samples[i - i % 3].round());  // paired
  }
  EXPECT_EQ(visits_.size(), 4U * 120U + 2U * 80U);  // the second sweep leaves out the load
  EXPECT_GT(progress_.all_us, 0);
  EXPECT_NEAR(progress_.done_us / progress_.all_us, 1, 1e-6);
  EXPECT_EQ(saved_, (std::vector<std::size_t>{96, 120, 120, 120}));  // rounds of 32 items
}

// The first round's times are half as long again: another sweep finds the least time.
TEST_F(CampaignTest, GoesOnUntilTwoSweepsAgree) {
  make_atoms(3);
  drift_ = [](std::size_t loads) { return loads <= 3 ? 1.5 : 1.0; };
  const CampaignResult result = run();
  for (const v1::Sample& sample : result.samples) {
    EXPECT_DOUBLE_EQ(sample.latency().min_us(), kRunUs);
    EXPECT_EQ(sample.latency().visits(), 8U);
    EXPECT_EQ(sample.round(), "run-1");
  }
}

TEST_F(CampaignTest, GivesUpOnWhatNeverSettles) {
  contexts_ = {make_context(1, 0), make_context(1, 0.5)};
  make_atoms(1);
  drift_ = [](std::size_t loads) { return 2 - 0.1 * static_cast<double>(loads); };
  const CampaignResult result = run();
  ASSERT_EQ(result.samples.size(), 2U);
  EXPECT_EQ(result.samples[0].latency().visits(), 12U);
  EXPECT_DOUBLE_EQ(result.samples[0].latency().min_us(), 1.5 * kRunUs);
  EXPECT_EQ(result.samples[1].latency().visits(), 4U);
}

// Under load every other visit takes three times as long.
class Bursts final : public Runnable {
 public:
  Bursts(FakeClock& clock, const FakeContextControl& control) : clock_(clock), control_(control) {}
  void run() override {
    const auto& entered = control_.entered;
    const auto loaded =
        std::count_if(entered.begin(), entered.end(), [](double l) { return l > 0; });
    clock_.wall += entered.back() > 0 && loaded % 2 == 0 ? 3 * kRunUs : kRunUs;
  }

 private:
  FakeClock& clock_;
  const FakeContextControl& control_;
};

TEST_F(CampaignTest, VisitsContendedContextsUntilTheirMeanIsKnown) {
  contexts_ = {make_context(1, 0), make_context(1, 0.5), make_context(2, 0)};
  make_atoms(1);
  const Loader load = [this](const WorkItem&) {
    return std::make_unique<Bursts>(clock_, control_);
  };
  const CampaignResult result =
      run_campaign(items_, contexts_, load, control_, clock_, options_, {});
  ASSERT_EQ(result.samples.size(), 3U);
  const v1::Latency& contended = result.samples[1].latency();
  EXPECT_EQ(contended.visits(), 12U);
  EXPECT_NEAR(contended.mean_us(), 2 * kRunUs, 0.01 * kRunUs);
  EXPECT_EQ(result.samples[0].latency().visits(), 12U);  // what it is compared with, as often
  EXPECT_EQ(result.samples[2].latency().visits(), 6U);
}

TEST_F(CampaignTest, VisitsContendedBlocksMoreOftenThanAtoms) {
  contexts_ = {make_context(1, 0), make_context(1, 0.5)};
  make_atoms(2);
  for (const char* part : {"a", "b"}) plan_[1].sample.add_parts(part);
  const Loader load = [this](const WorkItem&) {
    return std::make_unique<Bursts>(clock_, control_);
  };
  const CampaignResult result =
      run_campaign(items_, contexts_, load, control_, clock_, options_, {});
  ASSERT_EQ(result.samples.size(), 4U);
  EXPECT_EQ(result.samples[1].latency().visits(), 12U);
  EXPECT_GT(result.samples[3].latency().visits(), 36U);
  EXPECT_LE(result.samples[3].latency().visits(), 48U);
}

TEST_F(CampaignTest, AFailureInALaterSweepLeavesWhatWasMeasured) {
  make_atoms(3);
  fails_at_load_ = 5;
  const CampaignResult result = run();
  EXPECT_EQ(result.measured, 3U);
  ASSERT_EQ(result.samples.size(), 3U);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].reason, "fake: broken");
  unsigned visits = 0;
  for (const v1::Sample& sample : result.samples) visits += sample.latency().visits();
  EXPECT_EQ(visits, 6U + 4U + 6U);
}

TEST_F(CampaignTest, RoundsAreRandomAndFitIntoMemory) {
  make_atoms(10);
  options_.round_bytes = plan_[0].working_bytes * 3;
  const CampaignResult result = run();
  std::set<std::string> rounds;
  for (const v1::Sample& sample : result.samples) rounds.insert(sample.round());
  EXPECT_EQ(rounds, (std::set<std::string>{"run-1", "run-2", "run-3", "run-4"}));
  const std::vector<std::string> first = loaded_;
  loaded_.clear();
  run();
  EXPECT_EQ(loaded_, first);
  options_.seed = 1;
  loaded_.clear();
  run();
  EXPECT_NE(loaded_, first);
}

TEST_F(CampaignTest, AnAtomLargerThanTheLimitRunsAlone) {
  make_atoms(2);
  options_.round_bytes = 1;
  EXPECT_EQ(run().measured, 2U);
}

TEST_F(CampaignTest, ReportsFailuresAndGoesOn) {
  make_atoms(5);
  unloadable_ = "atom1";
  unrunnable_ = "atom3";
  const CampaignResult result = run();
  EXPECT_EQ(result.measured, 3U);
  EXPECT_EQ(result.samples.size(), 3U);
  std::set<std::string> failures;
  for (const Failure& failure : result.failures) {
    failures.insert(failure.plan->name + ": " + failure.reason);
  }
  EXPECT_EQ(failures,
            (std::set<std::string>{"atom1: atom1: no such operator", "atom3: fake: broken"}));
}

TEST_F(CampaignTest, ATooSmallBudgetLeavesItemsOut) {
  make_atoms(50);
  options_.budget_us = 600e3;  // an item takes 4 * 11 ms and some for warming up
  const CampaignResult result = run();
  EXPECT_GE(result.measured, 8U);
  EXPECT_LE(result.measured, 14U);
  EXPECT_EQ(result.left_out, 50 - result.measured);
  EXPECT_LE(clock_.wall, 700e3);
  for (const v1::Sample& sample : result.samples) EXPECT_GE(sample.latency().visits(), 4U);
}

TEST_F(CampaignTest, ATooSmallBudgetKeepsTheOrderGiven) {
  make_atoms(50);
  options_.budget_us = 600e3;
  for (std::size_t i = 50; i > 0; --i) options_.order.push_back(i - 1);
  const CampaignResult result = run();
  ASSERT_GE(result.measured, 8U);
  EXPECT_EQ(result.samples.back().sample_atom(), "net/atom49");
  EXPECT_EQ(result.samples.front().sample_atom(),
            "net/atom" + std::to_string(50 - result.measured));
}

TEST_F(CampaignTest, GoesOnWithTheVisitsOfAnInterruptedRun) {
  make_atoms(40);
  run();
  std::vector<v1::Visit> made(visits_.begin(), visits_.begin() + 50);
  for (const v1::Visit& visit : made) {
    for (CampaignItem& item : items_) {
      if (item.plan->signature() == visit.signature()) item.earlier.emplace(0, visit);
    }
  }
  visits_.clear();
  loaded_.clear();
  const CampaignResult result = run();
  EXPECT_EQ(visits_.size(), 160 - 50U + 80U);
  EXPECT_EQ(result.measured, 40U);
  for (const v1::Sample& sample : result.samples) EXPECT_EQ(sample.latency().visits(), 6U);
  // Those that were visited come first.
  std::set<std::string> first(loaded_.begin(), loaded_.begin() + 32);
  for (const CampaignItem& item : items_) {
    EXPECT_TRUE(item.earlier.empty() || first.count(item.plan->name) == 1) << item.plan->name;
  }
}

TEST_F(CampaignTest, MeasuresOneItemHoweverSmallTheBudget) {
  make_atoms(5);
  options_.budget_us = 1;
  EXPECT_EQ(run().measured, 1U);
}

TEST_F(CampaignTest, ALargeBudgetIsSpreadOverAllItems) {
  make_atoms(64);
  options_.budget_us = 20e6;
  const CampaignResult result = run();
  EXPECT_EQ(result.measured, 64U);
  EXPECT_LE(clock_.wall, 20.5e6);
  unsigned fewest = kMostVisits;
  unsigned most = 0;
  for (const v1::Sample& sample : result.samples) {
    fewest = std::min(fewest, sample.latency().visits());
    most = std::max(most, sample.latency().visits());
  }
  EXPECT_GE(fewest, 20U);
  EXPECT_LE(most - fewest, 3U);
}

}  // namespace
}  // namespace adamec::measure
