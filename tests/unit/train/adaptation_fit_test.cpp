#include "adamec/train/adaptation_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adamec/base/error.h"
#include "adamec/predict/predictor.h"
#include "adamec/predict/work.h"
#include "adamec/train/accuracy.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using train::accuracy_table;
using train::training_data;

// Another machine: a third of the multiplications per second, half the memory bandwidth.
v1::SampleSet slower(v1::SampleSet set) {
  for (v1::Sample& sample : *set.mutable_samples()) {
    const predict::Work work = predict::work_of(sample, 1);
    const double factor = work.macs > 0 ? 3.0 : 2.0;
    v1::Latency& latency = *sample.mutable_latency();
    latency.set_min_us(latency.min_us() * factor);
    latency.set_even_min_us(latency.even_min_us() * factor);
    latency.set_odd_min_us(latency.odd_min_us() * factor);
    latency.set_p50_us(latency.p50_us() * factor);
  }
  return set;
}

v1::Predictor base_predictor() {
  const v1::SampleSet set =
      synthetic_samples({.configurations = 300, .threads = {1, 2}, .loads = {0, 0.5}});
  return train::train(training_data(set, "", "s"), {}).predictor;
}

TEST(Transfer, AdaptsFromFewSamplesBetterThanTheyTrain) {
  const v1::SampleSet few =
      slower(synthetic_samples({.configurations = 40, .seed = 5, .host_id = "other"}));
  const auto result =
      train::adapt(base_predictor(), "base", training_data(few, "", "s"), {1, 1, "digest"});
  const auto adapted = accuracy_table(result.adapted).back();
  EXPECT_EQ(adapted.count, training_data(few, "", "s").measurements.size());
  EXPECT_GT(adapted.within_15, 80);
  EXPECT_GT(accuracy_table(result.unadapted).back().mape, 40);
  EXPECT_LT(adapted.mape, accuracy_table(result.from_scratch).back().mape);
  const predict::Predictor predictor(result.predictor, "p");
  EXPECT_EQ(predictor.message().host().id(), "other");
  EXPECT_EQ(predictor.message().base_host().id(), "00112233aabbccdd");
  // What was measured here is exact; what was measured there is not used; load is the base's.
  const v1::Sample& known = few.samples(0);
  EXPECT_NEAR(predictor.predict(known, {1, 0}).p50_ms * 1000, known.latency().min_us(), 1e-9);
  const v1::Atom conv = conv2d(48, 80, 30, 3);
  const auto unloaded = predictor.predict(conv, {1, 0});
  EXPECT_NEAR(unloaded.p50_ms * 1000 / (3 * true_latency_us(conv, 1, 0)), 1, 0.25);
  EXPECT_GT(predictor.predict(conv, {1, 0.5}).p50_ms, 1.2 * unloaded.p50_ms);
  EXPECT_FALSE(unloaded.extrapolated);
  EXPECT_TRUE(predictor.predict(conv, {2, 0}).extrapolated) << "two threads were not measured here";
}

TEST(Transfer, WorksFromOneSample) {
  const v1::SampleSet one = slower(synthetic_samples({.configurations = 1, .seed = 5}));
  const auto result =
      train::adapt(base_predictor(), "base", training_data(one, "", "s"), {1, 1, ""});
  EXPECT_TRUE(result.adapted.empty());
  const predict::Predictor predictor(result.predictor, "p");
  const auto prediction = predictor.predict(relu({1, 50, 30, 30}), {1, 0});
  EXPECT_TRUE(std::isfinite(prediction.p95_ms));
  EXPECT_GE(prediction.p95_ms, 1.9 * prediction.p50_ms);
}

TEST(Transfer, IsDeterministicAndNotRepeated) {
  const v1::Predictor base = base_predictor();
  const v1::SampleSet few = synthetic_samples({.configurations = 20, .seed = 5});
  const auto data = training_data(few, "", "s");
  const auto once = train::adapt(base, "base", data, {1, 1, ""}).predictor;
  EXPECT_EQ(train::adapt(base, "base", data, {1, 1, ""}).predictor.SerializeAsString(),
            once.SerializeAsString());
  try {
    static_cast<void>(train::adapt(once, "b.predictor", data, {1, 1, ""}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "b.predictor: adapted from another device itself; take the predictor it was "
                 "adapted from");
  }
}

}  // namespace
}  // namespace adamec::testing
