// A predictor trained on what was measured on a real machine (tests/data/samples/README.md), where
// no law is known: tests on made-up laws pass, too, when trainer and law are wrong in the same way.
// Training is deterministic, so the bands leave room only for changes that improve or harm little.
#include <gmock/gmock.h>
#include <google/protobuf/io/gzip_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "adamec/base/file.h"
#include "adamec/predict/baseline.h"
#include "adamec/predict/compiled_predictor.h"
#include "adamec/predict/predictor.h"
#include "adamec/train/adaptation_fit.h"
#include "adamec/train/cross_validation.h"
#include "adamec/train/error_bounds.h"
#include "adamec/train/fit.h"
#include "adamec/train/trainer.h"
#include "tests/support/run_command.h"

namespace adamec::testing {
namespace {

using train::HoldOut;
using train::Outcome;
using train::TrainingData;
using Subject = Outcome::Subject;

const v1::SampleSet& real_samples() {
  static const v1::SampleSet samples = [] {
    const std::string bytes = read_file(source_path("tests/data/samples/small_models.samples.gz"));
    google::protobuf::io::ArrayInputStream compressed(bytes.data(), static_cast<int>(bytes.size()));
    google::protobuf::io::GzipInputStream stream(&compressed);
    v1::SampleSet set;
    EXPECT_TRUE(set.ParseFromZeroCopyStream(&stream));
    return set;
  }();
  return samples;
}

const TrainingData& real_data() {
  static const TrainingData data = train::training_data(real_samples(), "", "real");
  return data;
}

const std::vector<Outcome>& outcomes_of(HoldOut hold_out) {
  static std::map<HoldOut, std::vector<Outcome>> known;
  auto at = known.find(hold_out);
  if (at == known.end()) {
    at = known.emplace(hold_out, train::cross_validate(real_data(), hold_out, 1, 2)).first;
  }
  return at->second;
}

// Figures of predictions, computed here and not by accuracy_table(): both would be wrong alike.
struct Figures {
  std::size_t count = 0;
  double within_10 = 0;  // percent
  double median = 0;     // of the absolute error, percent
};

Figures figures_of(std::vector<double> ratios) {  // predicted over measured
  Figures figures;
  figures.count = ratios.size();
  for (double& ratio : ratios) ratio = 100 * std::abs(ratio - 1);
  std::sort(ratios.begin(), ratios.end());
  if (ratios.empty()) return figures;
  const auto inside = std::upper_bound(ratios.begin(), ratios.end(), 10.0) - ratios.begin();
  figures.within_10 = 100.0 * static_cast<double>(inside) / static_cast<double>(ratios.size());
  figures.median = ratios[ratios.size() / 2];
  return figures;
}

Figures figures_of(HoldOut hold_out, Subject subject, unsigned threads, double load) {
  std::vector<double> ratios;
  for (const Outcome& outcome : outcomes_of(hold_out)) {
    if (outcome.subject != subject || outcome.threads != threads || outcome.cpu_load != load) {
      continue;
    }
    ratios.push_back(outcome.predicted_us / outcome.measured_us);
  }
  return figures_of(ratios);
}

struct Band {
  double least;
  double most;
};

void expect_within(double value, const Band& band, const char* what) {
  EXPECT_GE(value, band.least) << what;
  EXPECT_LE(value, band.most) << what;
}

TEST(RealSamples, AreThousandsOfRowsOfOneMachine) {
  EXPECT_GE(real_samples().samples_size(), 2000);
  EXPECT_EQ(real_samples().hosts_size(), 1);
  EXPECT_GE(real_data().measurements.size(), 900u);
  EXPECT_GE(real_data().slowdowns.size(), 900u);
  EXPECT_GE(real_data().composites.size(), 200u);
}

TEST(RealSamples, AtomsLeftOut) {
  const Figures one = figures_of(HoldOut::kConfig, Subject::kAtom, 1, 0);
  EXPECT_GE(one.count, 150u);
  expect_within(one.within_10, {68, 74}, "within 10 %, one thread");
  expect_within(one.median, {2.4, 3.3}, "median error, %, one thread");
  const Figures two = figures_of(HoldOut::kConfig, Subject::kAtom, 2, 0);
  expect_within(two.within_10, {36, 45}, "within 10 %, two threads");
  expect_within(two.median, {15.5, 20.5}, "median error, %, two threads");
  const Figures one_loaded = figures_of(HoldOut::kConfig, Subject::kAtom, 1, 0.5);
  expect_within(one_loaded.median, {18.5, 23.5}, "median error, %, one thread under load");
  const Figures two_loaded = figures_of(HoldOut::kConfig, Subject::kAtom, 2, 0.5);
  expect_within(two_loaded.median, {44, 58}, "median error, %, two threads under load");
}

TEST(RealSamples, BlocksOfMeasuredAtoms) {
  const Figures blocks = figures_of(HoldOut::kBlock, Subject::kBlock, 1, 0);
  EXPECT_GE(blocks.count, 50u);
  expect_within(blocks.within_10, {79, 87}, "within 10 %");
  expect_within(blocks.median, {2.2, 3.1}, "median error, %");
  const Figures models = figures_of(HoldOut::kBlock, Subject::kModel, 1, 0);
  EXPECT_EQ(models.count, 8u);
  expect_within(models.median, {3, 7}, "median error of models, %");
}

// What is learnt of blocks is worth something against the sum of their atoms.
TEST(RealSamples, BlocksAreNotTheSumOfTheirAtoms) {
  std::map<std::string, double> atom_us;
  for (const auto& measurement : real_data().measurements) {
    if (measurement.threads == 1) atom_us[measurement.sample->signature()] = measurement.us;
  }
  std::vector<double> ratios;
  for (const auto& block : real_data().composites) {
    if (block.threads != 1 || block.cpu_load != 0 || block.whole_model()) continue;
    double sum = 0;
    for (const std::string& part : block.sample->parts()) sum += atom_us.at(part);
    ratios.push_back(sum / block.us);
  }
  const Figures sums = figures_of(ratios);
  const Figures learnt = figures_of(HoldOut::kBlock, Subject::kBlock, 1, 0);
  EXPECT_EQ(sums.count, learnt.count);
  EXPECT_GT(sums.median, 1.2 * learnt.median);
}

// What trees and kriging add to the baselines, in sample and out of it.
TEST(RealSamples, ResidualsAreWorthTheirWhile) {
  v1::Predictor fitted;
  train::fit_baselines(real_data(), fitted);
  const predict::Baselines baselines(fitted.baselines(), "baselines");
  std::vector<double> ratios;
  for (const auto& measurement : real_data().measurements) {
    if (measurement.threads != 1 || measurement.models.empty()) continue;
    const predict::Work work = predict::work_of(*measurement.sample, 1);
    if (work.class_key != "aten::conv2d") continue;
    const double us = std::exp(predict::log_baseline_us(baselines.find(work, 1).cost, work));
    ratios.push_back(us / measurement.us);
  }
  const Figures alone = figures_of(ratios);  // of what they were fitted to
  expect_within(alone.within_10, {62, 76}, "convolutions by baselines alone, within 10 %");
  ratios.clear();
  for (const Outcome& outcome : outcomes_of(HoldOut::kConfig)) {
    if (outcome.operator_key != "aten::conv2d" || outcome.threads != 1 || outcome.cpu_load != 0) {
      continue;
    }
    ratios.push_back(outcome.predicted_us / outcome.measured_us);
  }
  const Figures whole = figures_of(ratios);
  EXPECT_EQ(whole.count, alone.count);
  EXPECT_GT(whole.within_10, alone.within_10 + 10);
  expect_within(whole.median, {0.9, 1.6}, "convolutions left out, median error, %");
  expect_within(whole.within_10, {82, 93}, "convolutions left out, within 10 %");
}

// 95 % of what was left out lies below the bound that the others' errors give.
TEST(RealSamples, BoundsHoldForNineteenOfTwenty) {
  const std::vector<Outcome>& outcomes = outcomes_of(HoldOut::kConfig);
  std::map<std::size_t, train::ErrorBounds> bounds;
  double below = 0;
  for (const Outcome& outcome : outcomes) {
    const auto at = bounds.try_emplace(outcome.fold, outcomes, outcome.fold).first;
    below += std::log(outcome.measured_us / outcome.predicted_us) <= at->second.of(outcome);
  }
  const double coverage = 100 * below / static_cast<double>(outcomes.size());
  expect_within(coverage, {93, 96.5}, "coverage, %");
}

TEST(RealSamples, ThePredictorNeverGetsFasterUnderMoreLoad) {
  const predict::Predictor predictor(train::train(real_data(), {}).predictor, "real");
  std::size_t slower = 0;
  for (const auto& measurement : real_data().measurements) {
    double previous = 0;
    for (const double load : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const double ms = predictor.predict(*measurement.sample, {measurement.threads, load}).p50_ms;
      EXPECT_GE(ms, previous);
      previous = ms;
    }
    const double unloaded = predictor.predict(*measurement.sample, {measurement.threads, 0}).p50_ms;
    EXPECT_NEAR(unloaded * 1000 / measurement.us, 1, 1e-12) << "measured: used as it is";
    slower += previous > 1.2 * unloaded;
  }
  EXPECT_GT(slower, real_data().measurements.size() * 8 / 10);
}

// A device three times as slow, with all the noise of the real one: few samples adapt a predictor.
TEST(RealSamples, AdaptToASlowerDeviceFromAFewOfThem) {
  v1::SampleSet few;
  *few.mutable_hosts() = real_samples().hosts();
  v1::SampleSet most;
  *most.mutable_hosts() = real_samples().hosts();
  std::map<std::string, std::size_t> order;
  for (const v1::Sample& sample : real_samples().samples()) {
    if (sample.subject() != v1::ATOM || sample.context().threads() != 1) continue;
    if (sample.context().cpu_load() != 0) continue;
    const std::size_t index = order.try_emplace(sample.signature(), order.size()).first->second;
    v1::Sample& copy = *(index % 12 == 0 ? few : most).add_samples();
    copy = sample;
    if (index % 12 != 0) continue;
    v1::Latency& latency = *copy.mutable_latency();
    for (const auto& [get, set] :
         {std::pair(&v1::Latency::min_us, &v1::Latency::set_min_us),
          std::pair(&v1::Latency::p50_us, &v1::Latency::set_p50_us),
          std::pair(&v1::Latency::p95_us, &v1::Latency::set_p95_us),
          std::pair(&v1::Latency::even_min_us, &v1::Latency::set_even_min_us),
          std::pair(&v1::Latency::odd_min_us, &v1::Latency::set_odd_min_us),
          std::pair(&v1::Latency::steady_us, &v1::Latency::set_steady_us),
          std::pair(&v1::Latency::even_steady_us, &v1::Latency::set_even_steady_us),
          std::pair(&v1::Latency::odd_steady_us, &v1::Latency::set_odd_steady_us),
          std::pair(&v1::Latency::cpu_us, &v1::Latency::set_cpu_us)}) {
      (latency.*set)(3 * (latency.*get)());
    }
  }
  const auto base = train::train(train::training_data(most, "", "most"), {}).predictor;
  const auto adapted = train::adapt(base, "base", train::training_data(few, "", "few"), {});
  std::vector<double> ratios;
  std::vector<double> unadapted;
  for (const Outcome& outcome : adapted.adapted) {
    ratios.push_back(outcome.predicted_us / outcome.measured_us);
  }
  for (const Outcome& outcome : adapted.unadapted) {
    unadapted.push_back(outcome.predicted_us / outcome.measured_us);
  }
  EXPECT_GE(ratios.size(), 30u);
  expect_within(figures_of(ratios).median, {6, 11}, "adapted, median error, %");
  expect_within(figures_of(unadapted).median, {64, 69}, "as it is: a third, less 2/3");
}

}  // namespace
}  // namespace adamec::testing
