#include "adamec/train/cross_validation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "adamec/train/accuracy.h"
#include "adamec/train/error_bounds.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using train::Accuracy;
using train::accuracy_table;
using train::conformal_q95;
using train::cross_validate;
using train::HoldOut;
using train::Outcome;
using train::training_data;

std::size_t folds_of(const std::vector<Outcome>& outcomes) {
  std::set<std::size_t> folds;
  for (const Outcome& outcome : outcomes) folds.insert(outcome.fold);
  return folds.size();
}

TEST(ConformalQuantile, IsTheRankThatGuaranteesCoverage) {
  std::vector<double> errors;
  for (int i = 1; i <= 99; ++i) errors.push_back(i / 100.0);
  EXPECT_DOUBLE_EQ(conformal_q95(errors), 0.95);  // rank ceil(0.95 * 100)
  errors.resize(19);
  EXPECT_DOUBLE_EQ(conformal_q95(errors), 0.19);  // rank 19 of 19
}

TEST(ConformalQuantile, IsWideWithFewErrorsAndNeverNegative) {
  EXPECT_DOUBLE_EQ(conformal_q95({}), std::log(2));
  EXPECT_DOUBLE_EQ(conformal_q95({0.1}), std::log(2));
  EXPECT_DOUBLE_EQ(conformal_q95({0.1, 3}), 3);
  EXPECT_EQ(conformal_q95(std::vector<double>(50, -1)), 0);
}

TEST(CrossValidation, LeavesOutEveryConfigurationOnce) {
  const v1::SampleSet set =
      synthetic_samples({.configurations = 60, .threads = {1, 2}, .loads = {0, 0.5}});
  const auto data = training_data(set, "", "s");
  const auto outcomes = cross_validate(data, HoldOut::kConfig, 1, 2);
  EXPECT_EQ(outcomes.size(), data.measurements.size() + data.slowdowns.size());
  EXPECT_EQ(folds_of(outcomes), 10u);
}

TEST(CrossValidation, DoesNotLeakDuplicates) {
  // Latencies without any pattern: only a leak could predict them.
  v1::SampleSet set = synthetic_samples({.configurations = 200, .noise = 2});
  const v1::SampleSet copy = set;
  set.MergeFrom(copy);
  const auto data = training_data(set, "", "s");
  const Accuracy all = accuracy_table(cross_validate(data, HoldOut::kConfig, 1, 2)).back();
  EXPECT_LT(all.within_10, 30);
}

TEST(CrossValidation, DoesNotLeakTheSameWorkUnderAnotherName) {
  // Latencies without any pattern, each configuration once more as an in-place operator.
  v1::SampleSet set = synthetic_samples({.configurations = 200, .noise = 2});
  const int count = set.samples_size();
  for (int i = 0; i < count; ++i) {
    v1::Sample& twin = *set.add_samples();
    twin = set.samples(i);
    v1::Operator& op = *twin.mutable_operators(0);
    op.set_name(op.name() + "_");
    twin.set_signature(twin.signature() + "_");
  }
  const auto outcomes = cross_validate(training_data(set, "", "s"), HoldOut::kConfig, 1, 2);
  EXPECT_LT(accuracy_table(outcomes).back().within_10, 30);
}

TEST(CrossValidation, LeavesOutModels) {
  v1::SampleSet set = synthetic_samples({.configurations = 40});
  set.mutable_samples(0)->add_models("net3");  // in two models: left out with each
  const auto data = training_data(set, "", "s");
  const auto outcomes = cross_validate(data, HoldOut::kModel, 1, 2);
  EXPECT_EQ(folds_of(outcomes), 4u);
  EXPECT_GE(outcomes.size(), data.measurements.size() + 1);
}

TEST(CrossValidation, LeavesOutContexts) {
  const v1::SampleSet set =
      synthetic_samples({.configurations = 40, .threads = {1, 2}, .loads = {0, 0.5, 0.9}});
  const auto outcomes = cross_validate(training_data(set, "", "s"), HoldOut::kContext, 1, 2);
  EXPECT_EQ(folds_of(outcomes), 6u);
}

TEST(CrossValidation, OfASingleConfigurationIsEmpty) {
  const v1::SampleSet set = synthetic_samples({.configurations = 1});
  EXPECT_TRUE(cross_validate(training_data(set, "", "s"), HoldOut::kConfig, 1, 2).empty());
}

Outcome outcome(double measured, double predicted, std::size_t fold = 0, double repeat = 0) {
  return {Outcome::Subject::kAtom, "aten::relu", "", 1, 0, measured, predicted, fold, repeat};
}

TEST(Accuracy, CountsWhatLiesWithin) {
  const std::vector<Outcome> outcomes = {outcome(100, 104, 0, 1.02), outcome(100, 92, 1, 1.2),
                                         outcome(100, 114, 2), outcome(100, 150, 3)};
  const auto table = accuracy_table(outcomes);
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[0].group, "aten::relu");
  EXPECT_EQ(table[1].group, "1 thread");
  const Accuracy& all = table[2];
  EXPECT_EQ(all.group, "all");
  EXPECT_EQ(all.count, 4u);
  EXPECT_DOUBLE_EQ(all.within_5, 25);
  EXPECT_DOUBLE_EQ(all.within_10, 50);
  EXPECT_DOUBLE_EQ(all.within_15, 75);
  EXPECT_NEAR(all.mape, (4 + 8 + 14 + 50) / 4.0, 1e-9);
  EXPECT_NEAR(all.median_ape, 11, 1e-9);
  EXPECT_NEAR(all.rmspe, std::sqrt((16 + 64 + 196 + 2500) / 4.0), 1e-9);
  EXPECT_DOUBLE_EQ(all.repeat_within_10, 50);
  EXPECT_DOUBLE_EQ(all.p95_coverage, 100);
}

TEST(Accuracy, OfNothingIsNotANumber) {
  const auto table = accuracy_table({});
  ASSERT_EQ(table.size(), 1u);
  EXPECT_TRUE(std::isnan(table[0].mape));
  EXPECT_NE(train::accuracy_text(table).find("all"), std::string::npos);
}

TEST(Accuracy, NamesContexts) {
  Outcome loaded = outcome(1, 1);
  loaded.threads = 2;
  loaded.cpu_load = 0.5;
  const std::string text = train::accuracy_text(accuracy_table(std::vector<Outcome>{loaded}));
  EXPECT_NE(text.find("2 threads, load 0.5"), std::string::npos) << text;
}

}  // namespace
}  // namespace adamec::testing
