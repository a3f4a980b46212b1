#include "adamec/predict/baseline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "adamec/base/error.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using predict::Baselines;
using predict::CostPoint;
using predict::fit_cost;
using predict::LinearCost;

TEST(FitCost, FindsTheCoefficientsThatMadeThePoints) {
  const LinearCost truth{3e-5, 2e-4, 4};
  std::vector<CostPoint> points;
  for (const double macs : {0.0, 1e5, 1e6, 3e7}) {
    for (const double bytes : {1e3, 5e4, 2e6})
      points.push_back({macs, bytes, truth.us(macs, bytes)});
  }
  const LinearCost cost = fit_cost(points);
  EXPECT_NEAR(cost.us_per_mac, truth.us_per_mac, 1e-12);
  EXPECT_NEAR(cost.us_per_byte, truth.us_per_byte, 1e-11);
  EXPECT_NEAR(cost.constant_us, truth.constant_us, 1e-6);
}

TEST(FitCost, SolvesTheKnownCaseWithABindingConstraint) {
  // us = 2 * bytes - 1 needs a negative constant. Without it: least sum of (b / us - 1)^2 over
  // rows r = bytes / us = 1, 2/3, 3/5: coefficient = sum(r) / sum(r^2).
  const std::vector<CostPoint> points = {{0, 1, 1}, {0, 2, 3}, {0, 3, 5}};
  const LinearCost cost = fit_cost(points);
  EXPECT_EQ(cost.us_per_mac, 0);
  EXPECT_EQ(cost.constant_us, 0);
  const double r2 = 2.0 / 3;
  const double r3 = 3.0 / 5;
  EXPECT_NEAR(cost.us_per_byte, (1 + r2 + r3) / (1 + r2 * r2 + r3 * r3), 1e-12);
}

double error_of(const std::vector<CostPoint>& points, const LinearCost& cost) {
  double sum = 0;
  for (const CostPoint& point : points) {
    sum += std::pow(cost.us(point.macs, point.bytes) / point.us - 1, 2);
  }
  return sum;
}

TEST(FitCost, NoNearbyNonNegativeCoefficientsAreBetter) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> exponent(0, 6);
  for (int round = 0; round < 200; ++round) {
    std::vector<CostPoint> points;
    for (int i = 0; i < 12; ++i) {
      points.push_back({std::pow(10, exponent(random)), std::pow(10, exponent(random)),
                        std::pow(10, exponent(random) / 2)});
    }
    const LinearCost best = fit_cost(points);
    ASSERT_GE(std::min({best.us_per_mac, best.us_per_byte, best.constant_us}), 0);
    const double least = error_of(points, best);
    for (const double factor : {0.9, 0.99, 1.01, 1.1}) {
      for (int i = 0; i < 3; ++i) {
        LinearCost other = best;
        const std::array<double*, 3> fields = {&other.us_per_mac, &other.us_per_byte,
                                               &other.constant_us};
        *fields[i] = *fields[i] > 0 ? *fields[i] * factor : (factor - 0.9) * 1e-6;
        EXPECT_GE(error_of(points, other), least - 1e-9) << "round " << round;
      }
    }
  }
}

TEST(FitCost, FitsASinglePoint) {
  EXPECT_DOUBLE_EQ(fit_cost(std::vector<CostPoint>{{1000, 50, 7}}).us(1000, 50), 7);
  EXPECT_DOUBLE_EQ(fit_cost(std::vector<CostPoint>{{0, 0, 7}}).us(0, 0), 7);
}

v1::Baseline baseline(const std::string& name, unsigned threads, const std::string& backend,
                      double constant) {
  v1::Baseline message;
  message.set_operator_(name);
  message.set_threads(threads);
  message.set_backend(backend);
  message.set_constant_us(constant);
  return message;
}

Baselines make(const std::vector<v1::Baseline>& messages) {
  return Baselines({messages.begin(), messages.end()}, "p");
}

std::string error_of_making(const std::vector<v1::Baseline>& messages) {
  try {
    make(messages);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Baselines, FallBackFromBackendToThreadsToTheRoofline) {
  const Baselines all =
      make({baseline("", 1, "*", 1), baseline("aten::conv2d", 1, "Mkldnn", 2),
            baseline("aten::conv2d", 1, "*", 3), baseline("aten::conv2d", 4, "*", 4)});
  const v1::Atom big = conv2d(8, 8, 32, 3);   // Mkldnn
  const v1::Atom small = conv2d(8, 8, 8, 3);  // Slow2d
  const v1::Atom other = relu({1, 8});
  const auto find = [&](const v1::Atom& atom, unsigned threads) {
    return all.find(predict::work_of(atom, threads), threads);
  };
  EXPECT_EQ(find(big, 1).cost.constant_us, 2);
  EXPECT_TRUE(find(big, 1).exact);
  EXPECT_EQ(find(small, 1).cost.constant_us, 3);
  EXPECT_EQ(find(big, 4).cost.constant_us, 4);
  EXPECT_EQ(find(big, 3).cost.constant_us, 2);
  EXPECT_FALSE(find(big, 3).exact);
  EXPECT_EQ(find(big, 9).threads, 4u);
  EXPECT_EQ(find(other, 1).cost.constant_us, 1);
  EXPECT_FALSE(find(other, 1).exact);
}

TEST(Baselines, RefuseBadCoefficients) {
  EXPECT_EQ(error_of_making({baseline("", 1, "*", -1)}),
            "p: baselines[0].constant_us: -1, expected a number >= 0");
  EXPECT_EQ(error_of_making({baseline("", 1, "*", std::numeric_limits<double>::quiet_NaN())}),
            "p: baselines[0].constant_us: nan, expected a number >= 0");
  EXPECT_EQ(error_of_making({baseline("", 1, "*", 1), baseline("", 1, "*", 1)}),
            "p: baselines[1]: bad or repeated: operator '', 1 threads, backend '*'");
  EXPECT_EQ(error_of_making({baseline("", 0, "*", 1)}),
            "p: baselines[0]: bad or repeated: operator '', 0 threads, backend '*'");
  EXPECT_EQ(error_of_making({baseline("aten::relu", 1, "*", 1)}),
            "p: baselines: none for operators never seen");
}

}  // namespace
}  // namespace adamec::testing
