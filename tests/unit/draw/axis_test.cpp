#include "adamec/draw/axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace adamec::draw {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(Axis, TicksAreRoundAndWithinTheAxis) {
  EXPECT_THAT((Axis{0, 1.2, false, 0, 1}.ticks(5)),
              ElementsAre(0, DoubleEq(0.2), DoubleEq(0.4), DoubleEq(0.6), DoubleEq(0.8),
                          DoubleEq(1), DoubleEq(1.2)));
  EXPECT_THAT((Axis{-50, 50, false, 0, 1}.ticks(5)), ElementsAre(-40, -20, 0, 20, 40));
  EXPECT_THAT((Axis{0.1, 1000, true, 0, 1}.ticks(5)), ElementsAre(DoubleEq(0.1), 1, 10, 100, 1000));
  EXPECT_THAT((Axis{1, 10, true, 0, 1}.ticks(5)), ElementsAre(1, 2, 5, 10));
  EXPECT_THAT((Axis{3, 6, true, 0, 1}.ticks(3)), ElementsAre(3, 4, 5, 6)) << "less than a decade";
}

// Any axis: ascending, inside, evenly spaced by 1, 2 or 5 times a power of ten, and as many as
// asked.
TEST(Axis, LinearTicksOfRandomAxes) {
  std::mt19937_64 generator(7);
  std::uniform_real_distribution<double> low(-1000, 1000);
  std::uniform_real_distribution<double> exponent(-6, 9);
  for (int round = 0; round < 2000; ++round) {
    Axis axis;
    axis.low = low(generator);
    axis.high = axis.low + std::pow(10, exponent(generator));
    const int count = 2 + round % 9;
    const std::vector<double> ticks = axis.ticks(count);
    const double span = axis.high - axis.low;
    ASSERT_GE(ticks.size(), 1u) << axis.low << " to " << axis.high;
    ASSERT_LE(ticks.size(), 2u * static_cast<unsigned>(count) + 2);
    EXPECT_GE(ticks.front(), axis.low - 1e-6 * span);
    EXPECT_LE(ticks.back(), axis.high + 1e-6 * span);
    for (std::size_t i = 1; i < ticks.size(); ++i) {
      const double step = ticks[i] - ticks[i - 1];
      const double digit = step / std::pow(10, std::floor(std::log10(step * 1.001)));
      const double nearest = digit < 1.5 ? 1 : digit < 3 ? 2 : 5;
      EXPECT_NEAR(digit, nearest, 0.01) << axis.low << " to " << axis.high;
    }
  }
}

TEST(Axis, AVeryLongLogarithmicAxisHasFewTicks) {
  const std::vector<double> ticks = Axis{1e-9, 1e21, true, 0, 1}.ticks(5);
  EXPECT_GE(ticks.size(), 5u);
  EXPECT_LE(ticks.size(), 10u);
}

// Found by reading: where the step is lost in rounding, counting up never ended.
TEST(Axis, TicksEndWhereStepsAreLostInRounding) {
  EXPECT_LE((Axis{1e17, 1e17 + 32, false, 0, 1}.ticks(5).size()), 1000u);
  EXPECT_LE((Axis{-1e18, std::nextafter(-1e18, 0), false, 0, 1}.ticks(5).size()), 1000u);
}

TEST(Axis, PixelsAndValuesAreInverse) {
  const Axis axis{1, 100, true, 0, 200};
  EXPECT_DOUBLE_EQ(axis.pixel(10), 100);
  EXPECT_DOUBLE_EQ(axis.value(100), 10);
  const Axis up{0, 4, false, 80, 0};  // grows downwards
  EXPECT_DOUBLE_EQ(up.pixel(1), 60);
  EXPECT_DOUBLE_EQ(up.value(60), 1);
  EXPECT_DOUBLE_EQ(up.pixel(5), -20) << "beyond the end";
  EXPECT_DOUBLE_EQ(up.clamped_pixel(5), 0);
  EXPECT_DOUBLE_EQ(up.clamped_pixel(-1e300), 80);
}

}  // namespace
}  // namespace adamec::draw
