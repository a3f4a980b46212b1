#include "adamec/train/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace adamec::train {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheMiddleTwo) {
  EXPECT_DOUBLE_EQ(median({3}), 3);
  EXPECT_DOUBLE_EQ(median({9, 1, 5}), 5);
  EXPECT_DOUBLE_EQ(median({9, 1, 5, 2}), 3.5);
  EXPECT_TRUE(std::isnan(median({})));
}

TEST(Quantile, IsLinearBetweenValues) {
  const std::vector<double> sorted = {0, 10, 20, 40};
  EXPECT_DOUBLE_EQ(quantile(sorted, 0), 0);
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.5), 15);
  EXPECT_DOUBLE_EQ(quantile(sorted, 5.0 / 6), 30);
  EXPECT_DOUBLE_EQ(quantile(sorted, 1), 40);
  EXPECT_DOUBLE_EQ(quantile(std::vector<double>{7}, 0.3), 7);
}

}  // namespace
}  // namespace adamec::train
