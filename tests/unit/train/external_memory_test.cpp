#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "adamec/base/error.h"
#include "adamec/train/xgboost_trainer.h"
#include "tests/support/run_command.h"

// What the XGBoost in use can do for training sets that do not fit into memory (see
// lib/adamec/predict/README.md). Debian's 1.7.4: external memory, yes.
namespace adamec::testing {
namespace {

using train::BoostedTrees;
using train::BoostOptions;
using train::Matrix;
using train::Page;

constexpr std::size_t kRowsPerPage = 400;
constexpr std::size_t kPages = 6;

bool fill(std::size_t index, Page& page) {
  if (index >= kPages) return false;
  page.rows.columns = 3;
  for (std::size_t i = 0; i < kRowsPerPage; ++i) {
    const auto n = static_cast<float>((index * kRowsPerPage + i) * 7919 % 2400);
    page.rows.add_row(std::vector<float>{n, std::fmod(n, 17.0F), std::fmod(n, 5.0F)});
    page.labels.push_back(std::sqrt(n) + std::fmod(n, 17.0F));
  }
  return true;
}

BoostOptions options() {
  BoostOptions options;
  options.rounds = 30;
  options.depth = 5;
  options.learning_rate = 0.3;
  return options;
}

TEST(ExternalMemory, TrainsAsWellAsInMemory) {
  Matrix rows{3, {}};
  std::vector<float> labels;
  for (std::size_t index = 0; index < kPages; ++index) {
    Page page;
    fill(index, page);
    rows.values.insert(rows.values.end(), page.rows.values.begin(), page.rows.values.end());
    labels.insert(labels.end(), page.labels.begin(), page.labels.end());
  }
  const TemporaryFolder folder;
  const BoostedTrees paged(fill, folder.path("cache"), options());
  const BoostedTrees whole(rows, labels, options());
  EXPECT_TRUE(folder.list().empty()) << "its files are deleted";
  const auto error_of = [&](const BoostedTrees& trees) {
    double sum = 0;
    const std::vector<float> predicted = trees.predict(rows);
    for (std::size_t i = 0; i < labels.size(); ++i) sum += std::abs(predicted[i] - labels[i]);
    return sum / static_cast<double>(labels.size());
  };
  EXPECT_LT(error_of(whole), 0.5);
  EXPECT_LT(error_of(paged), error_of(whole) * 1.3 + 0.05);
  EXPECT_EQ(paged.ensemble().tree_start_size(), 30);
}

TEST(ExternalMemory, GivesTheSameTwice) {
  const TemporaryFolder folder;
  const BoostedTrees one(fill, folder.path("a"), options());
  const BoostedTrees other(fill, folder.path("b"), options());
  EXPECT_EQ(one.ensemble().SerializeAsString(), other.ensemble().SerializeAsString());
}

TEST(ExternalMemory, ErrorsOfTheSourceAreErrors) {
  const TemporaryFolder folder;
  const auto failing = [](std::size_t index, Page& page) {
    if (index == 2) throw std::runtime_error("disk on fire");
    return fill(index, page);
  };
  try {
    const BoostedTrees trees(failing, folder.path("c"), options());
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "disk on fire");
  }
}

}  // namespace
}  // namespace adamec::testing
