#include "adamec/train/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "adamec/predict/predictor.h"
#include "adamec/train/accuracy.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using predict::Predictor;
using train::training_data;
using train::TrainResult;

TrainResult train_on(const v1::SampleSet& set, unsigned workers = 2, std::uint64_t seed = 1) {
  return train::train(training_data(set, "", "s"), {seed, workers, "digest"});
}

const SyntheticOptions kAllContexts = {
    .configurations = 80, .threads = {1, 2}, .loads = {0, 0.5, 0.9}};

TEST(Trainer, PredictsConfigurationsItNeverSaw) {
  const TrainResult result = train_on(synthetic_samples({.configurations = 400}));
  const Predictor predictor(result.predictor, "p");
  double worst = 0;
  for (const v1::Atom& atom : {conv2d(48, 80, 30, 3), conv2d(64, 64, 28, 1), linear(100, 300, 500),
                               relu({1, 50, 30, 30})}) {
    const auto prediction = predictor.predict(atom, {1, 0});
    EXPECT_FALSE(prediction.extrapolated);
    worst = std::max(worst, std::abs(prediction.p50_ms * 1000 / true_latency_us(atom, 1, 0) - 1));
  }
  EXPECT_LT(worst, 0.25);
  const train::Accuracy all = train::accuracy_table(result.outcomes).back();
  EXPECT_GT(all.within_10, 90);
  EXPECT_LT(all.mape, 5);
}

TEST(Trainer, KnowsTheCliffBetweenKernels) {
  const TrainResult result = train_on(synthetic_samples({.configurations = 400}));
  const Predictor predictor(result.predictor, "p");
  const double small = predictor.predict(conv2d(64, 64, 17, 3), {1, 0}).p50_ms;
  const double large = predictor.predict(conv2d(64, 64, 18, 3), {1, 0}).p50_ms;
  EXPECT_GT(small, 3 * large);
}

TEST(Trainer, ReproducesWhatItWasTrainedOn) {
  const v1::SampleSet set = synthetic_samples(kAllContexts);
  const auto data = training_data(set, "", "s");
  const Predictor predictor(train::train(data, {}).predictor, "p");
  for (const auto& measurement : data.measurements) {
    const auto prediction = predictor.predict(*measurement.sample, {measurement.threads, 0});
    EXPECT_NEAR(prediction.p50_ms * 1000 / measurement.us, 1, 1e-12);
  }
  ASSERT_EQ(data.slowdowns.size(), 2 * data.measurements.size());
  for (const auto& slowdown : data.slowdowns) {
    const auto prediction =
        predictor.predict(*slowdown.sample, {slowdown.threads, slowdown.cpu_load});
    EXPECT_NEAR(prediction.p50_ms * 1000 / (slowdown.unloaded_us * slowdown.ratio), 1, 1e-12);
  }
}

TEST(Trainer, LearnsTheSlowdown) {
  const Predictor predictor(train_on(synthetic_samples(kAllContexts)).predictor, "p");
  for (const v1::Atom& atom : {conv2d(48, 80, 30, 3), relu({1, 50, 30, 30})}) {
    for (const double load : {0.5, 0.7, 0.9}) {
      const double learnt =
          predictor.predict(atom, {1, load}).p50_ms / predictor.predict(atom, {1, 0}).p50_ms;
      const double truth = true_latency_us(atom, 1, load) / true_latency_us(atom, 1, 0);
      EXPECT_NEAR(learnt / truth, 1, 0.15) << load;
    }
  }
}

TEST(Trainer, TakesRatiosNoMachineHas) {
  v1::SampleSet set = synthetic_samples(kAllContexts);
  bool huge = false;
  for (v1::Sample& sample : *set.mutable_samples()) {
    if (sample.context().cpu_load() == 0) continue;
    sample.mutable_latency()->set_mean_us((huge = !huge) ? 1e300 : 1e-300);
  }
  const Predictor predictor(train_on(set).predictor, "p");
  const auto prediction = predictor.predict(set.samples(0), {1, 0.5});
  EXPECT_TRUE(std::isfinite(prediction.p95_ms));
  EXPECT_GE(prediction.p50_ms, predictor.predict(set.samples(0), {1, 0}).p50_ms);
}

TEST(Trainer, NeverPredictsLessUnderMoreLoad) {
  // Noise as large as the slowdown itself.
  SyntheticOptions options = kAllContexts;
  options.noise = 0.5;
  const Predictor predictor(train_on(synthetic_samples(options)).predictor, "p");
  const v1::SampleSet others = synthetic_samples({.configurations = 100, .seed = 9});
  for (const v1::Sample& sample : others.samples()) {
    for (const unsigned threads : {1U, 2U, 4U}) {
      double p50 = 0;
      double p95 = 0;
      for (int step = 0; step <= 20; ++step) {
        const auto prediction = predictor.predict(sample, {threads, step / 20.0});
        EXPECT_GE(prediction.p50_ms, p50);
        EXPECT_GE(prediction.p95_ms, p95);
        EXPECT_GE(prediction.p95_ms, prediction.p50_ms);
        p50 = prediction.p50_ms;
        p95 = prediction.p95_ms;
      }
    }
  }
}

TEST(Trainer, GivesTheSameBytesTwiceForAnyNumberOfWorkers) {
  const v1::SampleSet set = synthetic_samples(kAllContexts);
  const std::string once = train_on(set, 1).predictor.SerializeAsString();
  EXPECT_EQ(train_on(set, 1).predictor.SerializeAsString(), once);
  EXPECT_EQ(train_on(set, 3).predictor.SerializeAsString(), once);
  EXPECT_NE(train_on(set, 1, 2).predictor.SerializeAsString(), once);
}

TEST(Trainer, WorksFromOneSample) {
  const v1::SampleSet set = synthetic_samples({.configurations = 1});
  const TrainResult result = train_on(set);
  EXPECT_TRUE(result.outcomes.empty());
  const Predictor predictor(result.predictor, "p");
  EXPECT_NEAR(predictor.predict(set.samples(0), {1, 0}).p50_ms * 1000,
              set.samples(0).latency().min_us(), 1e-9);
  for (const v1::Atom& atom : {conv2d(8, 8, 16, 3), relu({1, 8}), linear(1, 8, 8)}) {
    const auto prediction = predictor.predict(atom, {2, 0.5});
    EXPECT_GT(prediction.p50_ms, 0);
    EXPECT_GE(prediction.p95_ms, prediction.p50_ms * 1.9);
    EXPECT_TRUE(prediction.extrapolated);
  }
}

TEST(Trainer, WorksFromFewSamplesOfEachContext) {
  for (const std::size_t count : {2, 3, 5, 8, 13}) {
    SyntheticOptions options = kAllContexts;
    options.configurations = count;
    const TrainResult result = train_on(synthetic_samples(options));
    const Predictor predictor(result.predictor, "p");
    const auto prediction = predictor.predict(conv2d(48, 80, 30, 3), {1, 0.5});
    EXPECT_TRUE(std::isfinite(prediction.p95_ms));
    EXPECT_FALSE(result.outcomes.empty());
  }
}

TEST(Trainer, WidensIntervalsOfOperatorsNeverSeen) {
  const Predictor predictor(train_on(synthetic_samples(kAllContexts)).predictor, "p");
  v1::Atom unseen = relu({1, 64, 28, 28});
  unseen.mutable_operators(0)->set_name("aten::gelu");
  const auto prediction = predictor.predict(unseen, {1, 0});
  const auto seen = predictor.predict(relu({1, 64, 27, 28}), {1, 0});
  EXPECT_TRUE(prediction.extrapolated);
  EXPECT_GE(prediction.p95_ms / prediction.p50_ms, seen.p95_ms / seen.p50_ms);
}

TEST(Trainer, IntervalsHoldForNewConfigurations) {
  const Predictor predictor(
      train_on(synthetic_samples({.configurations = 300, .noise = 0.05})).predictor, "p");
  std::size_t below = 0;
  std::size_t all = 0;
  const v1::SampleSet others =
      synthetic_samples({.configurations = 600, .noise = 0.05, .seed = 77});
  for (const v1::Sample& sample : others.samples()) {
    const auto prediction = predictor.predict(sample, {1, 0});
    below += sample.latency().min_us() <= prediction.p95_ms * 1000;
    ++all;
  }
  EXPECT_GT(static_cast<double>(below) / static_cast<double>(all), 0.88);
}

}  // namespace
}  // namespace adamec::testing
