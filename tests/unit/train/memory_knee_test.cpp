#include "adamec/predict/memory_knee.h"
#include "adamec/train/memory_knee_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adamec/base/error.h"
#include "adamec/predict/predictor.h"
#include "tests/unit/predict/small_predictor.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using predict::MemoryKnee;

MemoryKnee fit(const std::vector<train::Pressure>& pressures) {
  v1::Predictor message;
  train::fit_memory_knee(pressures, message);
  return MemoryKnee(message.memory_knee(), "p");
}

TEST(MemoryKnee, RisesWhereTheMeasurementsDo) {
  // AlexNet on a Raspberry Pi: nothing happens down to a limit, then everything does.
  const MemoryKnee knee = fit({{100, 200, 1.0}, {100, 125, 1.0}, {100, 100, 2}, {100, 80, 18}});
  EXPECT_DOUBLE_EQ(knee.log_slowdown(0.1), 0);
  EXPECT_DOUBLE_EQ(knee.log_slowdown(0.8), 0);
  EXPECT_NEAR(knee.log_slowdown(1.0), std::log(2), 1e-12);
  EXPECT_NEAR(knee.log_slowdown(1.25), std::log(18), 1e-12);
  EXPECT_NEAR(knee.log_slowdown(1.125), (std::log(2) + std::log(18)) / 2, 1e-12);
  EXPECT_NEAR(knee.log_slowdown(9), std::log(18), 1e-12);
}

TEST(MemoryKnee, NeverFallsWhateverTheNoise) {
  const MemoryKnee knee =
      fit({{1, 10, 1.3}, {2, 10, 0.7}, {3, 10, 1.1}, {3, 10, 1.4}, {8, 10, 1.2}, {12, 10, 3}});
  double before = 0;
  for (double share = 0; share < 2; share += 0.01) {
    EXPECT_GE(knee.log_slowdown(share), before);
    before = knee.log_slowdown(share);
  }
}

TEST(MemoryKnee, WithoutMeasurementsIsFlat) { EXPECT_EQ(fit({}).log_slowdown(5), 0); }

TEST(MemoryKnee, MakesPredictionsSlowerUnderALimit) {
  v1::Predictor message = small_predictor();
  train::fit_memory_knee({{100, 200, 1}, {100, 50, 4}}, message);
  const predict::Predictor predictor(message, "p");
  predict::RunContext context{1, 0, 1000, 2000};
  EXPECT_NEAR(predictor.predict(relu({1, 8}), context).p50_ms, 0.040, 1e-9);
  context.memory_needed = 100;
  EXPECT_NEAR(predictor.predict(relu({1, 8}), context).p50_ms, 0.010, 1e-9);
  context.memory_limit = -1;
  EXPECT_THROW(static_cast<void>(predictor.predict(relu({1, 8}), context)), Error);
  const predict::Predictor ignorant(small_predictor(), "p");
  EXPECT_TRUE(ignorant.predict(relu({1, 8}), {1, 0, 1000, 2000}).extrapolated);
  EXPECT_FALSE(ignorant.predict(relu({1, 8}), {1, 0, 1000, 200}).extrapolated);
}

}  // namespace
}  // namespace adamec::testing
