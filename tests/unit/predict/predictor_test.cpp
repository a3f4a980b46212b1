#include "adamec/predict/predictor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "adamec/base/error.h"
#include "adamec/predict/signature.h"
#include "tests/support/run_command.h"
#include "tests/unit/predict/small_predictor.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using predict::Prediction;
using predict::Predictor;

v1::Atom relu_with_macs(std::uint64_t macs) {
  v1::Atom atom = relu({1, 8});
  atom.mutable_operators(0)->set_macs(macs);
  return atom;
}

TEST(Predictor, MultipliesTheBaselineByTheTrees) {
  const Predictor predictor(small_predictor(), "p");
  const Prediction small = predictor.predict(relu({1, 8}), {1, 0});
  EXPECT_NEAR(small.p50_ms, 0.010, 1e-9);
  EXPECT_NEAR(small.p95_ms, 0.010 * std::exp(0.1), 1e-9);
  EXPECT_FALSE(small.extrapolated);
  EXPECT_NEAR(predictor.predict(relu_with_macs(99), {1, 0}).p50_ms, 0.010, 1e-9);
  EXPECT_NEAR(predictor.predict(relu_with_macs(100), {1, 0}).p50_ms, 0.015, 1e-9);
}

TEST(Predictor, IsLinearBetweenLoadsAndBeyond) {
  const Predictor predictor(small_predictor(), "p");
  const auto log_slowdown = [&](double load) {
    return std::log(predictor.predict(relu({1, 8}), {1, load}).p50_ms / 0.010);
  };
  EXPECT_NEAR(log_slowdown(0.25), 0.25, 1e-6);
  EXPECT_NEAR(log_slowdown(0.5), 0.5, 1e-6);
  EXPECT_NEAR(log_slowdown(0.7), 0.7, 1e-6);
  EXPECT_NEAR(log_slowdown(0.8), 0.8, 1e-6);
  EXPECT_NEAR(log_slowdown(1), 1, 1e-6);
  const Prediction loaded = predictor.predict(relu({1, 8}), {1, 0.5});
  EXPECT_NEAR(loaded.p95_ms / loaded.p50_ms, std::exp(0.3), 1e-9);
}

TEST(Predictor, NeverFallsWithLoadWhateverTheTreesSay) {
  v1::Predictor message = small_predictor();
  message.mutable_slowdown()->set_threshold(1, 2);   // at load 0.5
  message.mutable_slowdown()->set_threshold(2, -9);  // at load 0.8
  message.mutable_slowdown()->set_base_score(-0.5F);
  const Predictor predictor(message, "p");
  Prediction before{};
  for (int step = 0; step <= 100; ++step) {
    const Prediction now = predictor.predict(relu({1, 8}), {1, step / 100.0});
    EXPECT_GE(now.p50_ms, before.p50_ms) << step;
    EXPECT_GE(now.p95_ms, before.p95_ms) << step;
    EXPECT_GE(now.p95_ms, now.p50_ms) << step;
    before = now;
  }
}

TEST(Predictor, WithoutMeasuredLoadsSharesTheCpu) {
  v1::Predictor message = small_predictor();
  message.clear_slowdown_loads();
  message.clear_slowdown();
  const Predictor predictor(message, "p");
  EXPECT_NEAR(predictor.predict(relu({1, 8}), {1, 0.2}).p50_ms, 0.010 / 0.8, 1e-9);
  EXPECT_NEAR(predictor.predict(relu({1, 8}), {1, 0.9}).p50_ms, 0.020, 1e-9);
  EXPECT_TRUE(predictor.predict(relu({1, 8}), {1, 0.2}).extrapolated);
  EXPECT_FALSE(predictor.predict(relu({1, 8}), {1, 0}).extrapolated);
}

TEST(Predictor, SaysWhenItExtrapolates) {
  const Predictor predictor(small_predictor(), "p");
  const Prediction unseen = predictor.predict(linear(1, 8, 8), {1, 0});
  EXPECT_TRUE(unseen.extrapolated);
  EXPECT_NEAR(unseen.p50_ms, 0.1, 1e-9);
  EXPECT_NEAR(unseen.p95_ms, 0.1 * std::exp(1), 1e-9);
  EXPECT_TRUE(predictor.predict(relu({1, 8}), {2, 0}).extrapolated);
}

TEST(Predictor, PrefersWhatWasMeasured) {
  v1::Predictor message = small_predictor();
  v1::Measured& measured = *message.add_measured();
  measured.set_signature_hash(predict::signature_hash(predict::signature(linear(1, 8, 8))));
  measured.set_threads(1);
  measured.set_us(7);
  const Predictor predictor(message, "p");
  const Prediction exact = predictor.predict(linear(1, 8, 8), {1, 0});
  EXPECT_NEAR(exact.p50_ms, 0.007, 1e-12);
  EXPECT_NEAR(exact.p95_ms, 0.007 * std::exp(0.05), 1e-12);
  EXPECT_FALSE(exact.extrapolated);
  EXPECT_NEAR(predictor.predict(linear(1, 8, 8), {1, 0.5}).p50_ms, 0.007 * std::exp(0.5), 1e-9);
  EXPECT_NEAR(predictor.predict(linear(1, 8, 9), {1, 0}).p50_ms, 0.1, 1e-9);
}

TEST(Predictor, PrefersWhatWasMeasuredUnderLoad) {
  v1::Predictor message = small_predictor();
  const auto add = [&](auto& list, double load, double us) {
    v1::Measured& measured = *list.Add();
    measured.set_signature_hash(predict::signature_hash(predict::signature(relu({1, 8}))));
    measured.set_threads(1);
    measured.set_cpu_load(load);
    measured.set_us(us);
  };
  const auto us = [&](const v1::Atom& atom, unsigned threads, double load) {
    return 1000 * Predictor(message, "p").predict(atom, {threads, load}).p50_ms;
  };
  add(*message.mutable_measured(), 0, 7);
  add(*message.mutable_contended(), 0.5, 28);
  EXPECT_NEAR(us(relu({1, 8}), 1, 0), 7, 1e-9);
  EXPECT_NEAR(us(relu({1, 8}), 1, 0.5), 28, 1e-9);
  EXPECT_NEAR(us(relu({1, 8}), 1, 0.25), 14, 1e-9);
  EXPECT_NEAR(us(relu({1, 8}), 1, 0.8), 28, 1e-9);  // the trees say less
  EXPECT_NEAR(us(relu({1, 9}), 1, 0.5), 10 * std::exp(0.5), 1e-5);
  EXPECT_NEAR(us(relu({1, 8}), 2, 0.5), 10 * std::exp(0.5), 1e-5);
  add(*message.mutable_contended(), 0.8, 21);
  EXPECT_NEAR(us(relu({1, 8}), 1, 0.8), 28, 1e-9);
  message.mutable_contended(1)->set_us(42);
  EXPECT_NEAR(us(relu({1, 8}), 1, 0.8), 42, 1e-9);
}

TEST(Predictor, TakesTheFeaturesByName) {
  v1::Predictor message = small_predictor();
  message.mutable_features()->SwapElements(0, 1);
  message.mutable_residual()->set_feature(0, 1);
  message.mutable_slowdown()->set_feature(0, 0);
  const Predictor predictor(message, "p");
  EXPECT_NEAR(predictor.predict(relu_with_macs(100), {1, 0.5}).p50_ms, 0.015 * std::exp(0.5), 1e-8);
}

TEST(Predictor, TakesTheTreesOfTheNumberOfThreads) {
  v1::Predictor message = small_predictor();
  message.set_format_version(2);
  const auto add_trees = [&](unsigned threads, double log_factor) {
    v1::ThreadTrees& of_threads = *message.add_residuals();
    of_threads.set_threads(threads);
    *of_threads.mutable_trees() = small_predictor().residual();
    of_threads.mutable_trees()->set_base_score(log_factor);
  };
  EXPECT_THROW(Predictor(message, "p"), Error);  // there are none
  add_trees(1, std::log(2.0));
  v1::Baseline two = message.baselines(1);
  two.set_threads(2);
  *message.add_baselines() = two;
  const auto us = [&](unsigned threads) {
    return 1000 * Predictor(message, "p").predict(relu_with_macs(50), {threads, 0}).p50_ms;
  };
  EXPECT_NEAR(us(1), 20, 1e-4);
  EXPECT_NEAR(us(2), 20, 1e-4);  // the nearest
  add_trees(2, std::log(3.0));
  EXPECT_NEAR(us(1), 20, 1e-4);
  EXPECT_NEAR(us(2), 30, 1e-4);
  add_trees(2, 0);
  EXPECT_THROW(Predictor(message, "p"), Error);  // twice
}

TEST(Predictor, IsFiniteForAnyAtom) {
  const Predictor predictor(small_predictor(), "p");
  v1::Atom nothing;
  EXPECT_TRUE(predictor.predict(nothing, {1, 0.3}).extrapolated);
  v1::Atom huge = relu_with_macs(std::numeric_limits<std::uint64_t>::max());
  for (int i = 0; i < 100; ++i) {
    huge.mutable_operators(0)->mutable_results(0)->add_shape(std::numeric_limits<int>::max());
  }
  v1::Predictor message = small_predictor();
  for (auto& baseline : *message.mutable_baselines()) baseline.set_us_per_byte(1e300);
  const Prediction prediction = Predictor(message, "p").predict(huge, {1, 1});
  EXPECT_TRUE(std::isfinite(prediction.p50_ms));
  EXPECT_TRUE(std::isfinite(prediction.p95_ms));
  EXPECT_GE(prediction.p95_ms, prediction.p50_ms);
}

TEST(Predictor, RefusesContextsThatCannotBe) {
  const Predictor predictor(small_predictor(), "p");
  EXPECT_THROW(static_cast<void>(predictor.predict(relu({1}), {0, 0})), Error);
  EXPECT_THROW(static_cast<void>(predictor.predict(relu({1}), {1, -0.1})), Error);
  EXPECT_THROW(static_cast<void>(predictor.predict(relu({1}), {1, 1.1})), Error);
  EXPECT_THROW(static_cast<void>(predictor.predict(relu({1}), {1, std::nan("")})), Error);
}

TEST(Predictor, GivesTheSameInManyContextsAtOnce) {
  const Predictor predictor(small_predictor(), "p");
  std::vector<predict::RunContext> contexts;
  for (const unsigned threads : {2U, 1U, 4U, 1U}) {
    for (const double load : {0.7, 0.0, 0.3}) contexts.push_back({threads, load});
  }
  const auto all = predictor.predict(relu_with_macs(100), contexts);
  ASSERT_EQ(all.size(), contexts.size());
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const Prediction one = predictor.predict(relu_with_macs(100), contexts[i]);
    EXPECT_EQ(all[i].p50_ms, one.p50_ms);
    EXPECT_EQ(all[i].p95_ms, one.p95_ms);
    EXPECT_EQ(all[i].extrapolated, one.extrapolated);
  }
}

TEST(Predictor, HasBoundsOfOperators) {
  v1::Predictor message = small_predictor();
  v1::Bound& bound = *message.add_bounds();
  bound.set_operator_index(0);
  bound.set_threads(1);
  bound.set_q95(0.7);
  const Prediction one = Predictor(message, "p").predict(relu({1, 8}), {1, 0});
  EXPECT_NEAR(one.p95_ms / one.p50_ms, std::exp(0.7), 1e-9);
  const Prediction two = Predictor(message, "p").predict(relu({1, 8}), {2, 0});
  EXPECT_NEAR(two.p95_ms / two.p50_ms, std::exp(0.1), 1e-9);
}

TEST(Predictor, LoadsFromAFile) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.predictor", small_predictor().SerializeAsString());
  const Predictor predictor = Predictor::load(path);
  EXPECT_NEAR(predictor.predict(relu({1, 8}), {1, 0}).p50_ms, 0.010, 1e-9);
  EXPECT_EQ(predictor.message().SerializeAsString(), small_predictor().SerializeAsString());
}

}  // namespace
}  // namespace adamec::testing
