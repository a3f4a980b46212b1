#include "adamec/predict/kriging.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "adamec/predict/features.h"
#include "adamec/train/kriging_fit.h"
#include "adamec/train/linear_algebra.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using predict::Krigings;
using train::KrigingPoint;
using train::Matrix;

std::size_t column_of(const std::string& name) {
  const auto& names = predict::feature_names();
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::vector<float> row_at(double log_macs, double log_bytes) {
  std::vector<float> row(predict::feature_names().size(), std::nanf(""));
  row[column_of("log_macs")] = static_cast<float>(log_macs);
  row[column_of("log_bytes_in")] = static_cast<float>(log_bytes);
  return row;
}

double truth(double x, double y) { return 0.2 * std::sin(x) + 0.1 * y - 1; }

Krigings fit(std::size_t count, double variance, v1::Predictor* message = nullptr) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> between(5, 12);
  Matrix rows{predict::feature_names().size(), {}};
  std::vector<KrigingPoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = between(random);
    const double y = between(random);
    rows.add_row(row_at(x, y));
    points.push_back({2, 1, 0, truth(x, y), variance});
  }
  v1::Predictor predictor;
  for (const std::string& name : predict::feature_names()) predictor.add_features(name);
  train::fit_krigings(rows, points, predictor);
  if (message != nullptr) *message = predictor;
  std::vector<int> columns(predict::feature_names().size());
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
  return Krigings(predictor, columns, "p");
}

double worst_error(const Krigings& krigings) {
  const predict::Kriging* kriging = krigings.find(2, 1, 0, 0);
  double worst = 0;
  for (double x = 6; x < 11; x += 0.3) {
    for (double y = 6; y < 11; y += 0.3) {
      worst = std::max(worst, std::abs(krigings.residual(*kriging, row_at(x, y)) - truth(x, y)));
    }
  }
  return worst;
}

TEST(Kriging, InterpolatesASmoothFunction) { EXPECT_LT(worst_error(fit(120, 1e-6)), 0.05); }

TEST(Kriging, KeepsTheMostTellingPointsOfMany) {
  v1::Predictor message;
  EXPECT_LT(worst_error(fit(1500, 1e-4, &message)), 0.05);
  EXPECT_LE(message.krigings(0).weights_size(), static_cast<int>(predict::Kriging::kFitPoints));
}

TEST(Kriging, OfOnePointIsItsResidual) {
  const Krigings krigings = fit(1, 1e-3);
  const float far = krigings.residual(*krigings.find(2, 1, 0, 0), row_at(300, 300));
  const float near = krigings.residual(*krigings.find(2, 1, 0, 0), row_at(8, 8));
  EXPECT_NEAR(far, near, 0.01);
}

TEST(Kriging, KnowsOnlyItsOwnClass) {
  const Krigings krigings = fit(10, 1e-3);
  EXPECT_EQ(krigings.find(1, 1, 0, 0), nullptr);
  EXPECT_EQ(krigings.find(2, 2, 0, 0), nullptr);
  EXPECT_EQ(krigings.find(2, 1, 1, 0), nullptr);
}

TEST(LinearAlgebra, SolvesAndIgnoresDependentColumns) {
  const std::vector<double> x = train::solve_definite({4, 2, 2, 3}, {2, 5});
  EXPECT_NEAR(4 * x[0] + 2 * x[1], 2, 1e-12);
  EXPECT_NEAR(2 * x[0] + 3 * x[1], 5, 1e-12);
  const std::vector<double> y = train::solve_definite({1, 1, 1, 1}, {3, 3});
  EXPECT_EQ(y[0] + y[1], 3);
}

// Depthwise and pointwise convolutions are learnt apart from others; in files that do not tell them
// apart, with them.
TEST(Krigings, OfAFamilyOrOfAll) {
  v1::Predictor message;
  message.add_kriging_features(0);
  message.add_kriging_scales(1);
  for (const std::uint32_t family : {0, 2}) {
    v1::Kriging& kriging = *message.add_krigings();
    kriging.set_threads(1);
    kriging.set_family(family);
    kriging.set_mean(static_cast<float>(family));
  }
  const std::vector<int> columns = {0};
  const predict::Krigings krigings(message, columns, "p");
  const std::vector<float> row = {0};
  EXPECT_EQ(krigings.residual(*krigings.find(0, 1, 0, 2), row), 2);
  EXPECT_EQ(krigings.residual(*krigings.find(0, 1, 0, 1), row), 0);
  EXPECT_EQ(krigings.residual(*krigings.find(0, 1, 0, 0), row), 0);
  EXPECT_EQ(krigings.find(1, 1, 0, 2), nullptr);
}

TEST(Krigings, FamiliesOfConvolutions) {
  const auto family = [](const v1::Atom& atom) {
    std::vector<float> row;
    predict::fill_features(predict::work_of(atom, 1), {}, row);
    return predict::shape_family(row);
  };
  EXPECT_EQ(family(conv2d(64, 64, 28, 3)), 0);
  EXPECT_EQ(family(conv2d(64, 64, 28, 1)), 2);
  EXPECT_EQ(family(relu({1, 64, 28, 28})), 0);
}

}  // namespace
}  // namespace adamec::testing
