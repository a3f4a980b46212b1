#include "adamec/predict/trees.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "adamec/base/error.h"
#include "adamec/train/xgboost_trainer.h"

namespace adamec::testing {
namespace {

using predict::Trees;
using train::BoostedTrees;
using train::BoostOptions;
using train::Matrix;

// Rows with ties (small whole numbers) and a tenth of the values missing.
Matrix random_rows(std::size_t rows, std::size_t columns, unsigned seed) {
  std::mt19937 random(seed);
  Matrix matrix{columns, {}};
  for (std::size_t i = 0; i < rows * columns; ++i) {
    const float value =
        i % 3 == 0 ? static_cast<float>(random() % 7) : static_cast<float>(random()) / 1e9F - 2;
    matrix.values.push_back(random() % 10 == 0 ? std::numeric_limits<float>::quiet_NaN() : value);
  }
  return matrix;
}

std::vector<float> labels_of(const Matrix& rows) {
  std::vector<float> labels;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const float* row = &rows.values[i * rows.columns];
    const float first = std::isnan(row[0]) ? 3 : row[0];
    labels.push_back(first * 0.3F + (std::isnan(row[1]) ? 0 : std::sin(row[1])));
  }
  return labels;
}

Trees flatten(const v1::TreeEnsemble& ensemble, std::size_t columns) {
  std::vector<int> identity(columns);
  std::iota(identity.begin(), identity.end(), 0);
  return Trees(ensemble, identity, "t");
}

BoostOptions options_of(int round) {
  BoostOptions options;
  options.rounds = 20 + 30 * round;
  options.depth = 2 + round;
  options.rows_per_tree = 0.8;
  options.seed = static_cast<std::uint64_t>(round);
  return options;
}

TEST(Trees, GiveTheNumbersOfXgboostToTheLastBit) {
  for (int round = 0; round < 5; ++round) {
    const Matrix training = random_rows(300, 6, static_cast<unsigned>(round));
    const BoostedTrees boosted(training, labels_of(training), options_of(round));
    const Trees trees = flatten(boosted.ensemble(), training.columns);
    Matrix rows = random_rows(1000, 6, 100 + static_cast<unsigned>(round));
    // Values exactly on the thresholds, where < and <= differ.
    const v1::TreeEnsemble ensemble = boosted.ensemble();
    for (int i = 0; i < ensemble.feature_size(); ++i) {
      if (ensemble.feature(i) < 0) continue;
      const auto row = static_cast<std::size_t>(i) % rows.rows();
      rows.values[row * 6 + static_cast<std::size_t>(ensemble.feature(i))] = ensemble.threshold(i);
    }
    const std::vector<float> expected = boosted.predict(rows);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const float actual = trees.evaluate(std::span(rows.values).subspan(i * 6, 6));
      ASSERT_EQ(std::bit_cast<std::uint32_t>(actual), std::bit_cast<std::uint32_t>(expected[i]))
          << "round " << round << " row " << i << ": " << actual << " and " << expected[i];
    }
  }
}

TEST(Trees, TrainTwiceToTheSameBytes) {
  const Matrix rows = random_rows(200, 6, 1);
  const auto train = [&](std::uint64_t seed) {
    BoostOptions options = options_of(1);
    options.seed = seed;
    return BoostedTrees(rows, labels_of(rows), options).ensemble().SerializeAsString();
  };
  EXPECT_EQ(train(5), train(5));
  EXPECT_NE(train(5), train(6));
}

TEST(Trees, KeepTheMonotoneConstraint) {
  Matrix rows = random_rows(300, 4, 9);
  std::vector<float> labels = labels_of(rows);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = -labels[i];  // falls with column 0
  BoostOptions options = options_of(2);
  options.monotone = {1, 0, 0, 0};
  const Trees trees = flatten(BoostedTrees(rows, labels, options).ensemble(), 4);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    std::vector<float> row(rows.values.begin() + static_cast<std::ptrdiff_t>(i * 4),
                           rows.values.begin() + static_cast<std::ptrdiff_t>(i * 4 + 4));
    float before = -std::numeric_limits<float>::infinity();
    for (float value = -3; value < 8; value += 0.25F) {
      row[0] = value;
      const float now = trees.evaluate(row);
      EXPECT_GE(now, before);
      before = now;
    }
  }
}

// Where half of the labels are 1 and half of them 9, the mean of the logarithms would be that of 3.
TEST(Trees, GiveTheLogarithmOfTheMean) {
  Matrix rows{1, {}};
  std::vector<float> labels;
  for (int i = 0; i < 400; ++i) {
    const bool heavy = i % 4 < 2;
    rows.add_row(std::vector<float>{heavy ? 1.0F : 0.0F});
    labels.push_back(heavy && i % 2 == 1 ? 9.0F : 1.0F);
  }
  BoostOptions options;
  options.log_of_mean = true;
  const BoostedTrees boosted(rows, labels, options);
  const Trees trees = flatten(boosted.ensemble(), 1);
  EXPECT_NEAR(trees.evaluate(std::vector<float>{1}), std::log(5), 0.02);
  EXPECT_NEAR(trees.evaluate(std::vector<float>{0}), 0, 0.02);
  EXPECT_NEAR(std::exp(trees.evaluate(std::vector<float>{1})), boosted.predict(rows)[0], 1e-4);
}

TEST(Trees, LearnFromASingleRow) {
  const Matrix rows{2, {1, 2}};
  const std::vector<float> labels = {0.75F};
  const Trees trees = flatten(BoostedTrees(rows, labels, {}).ensemble(), 2);
  EXPECT_EQ(trees.evaluate(rows.values), 0.75F);
}

TEST(Trees, FailuresOfXgboostAreErrors) {
  const Matrix rows{2, {1, std::numeric_limits<float>::infinity()}};
  const std::vector<float> labels = {1};
  try {
    const BoostedTrees trees(rows, labels, {});
    FAIL() << "infinity was accepted";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with("XGBoost: ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace adamec::testing
