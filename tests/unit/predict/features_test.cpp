#include "adamec/predict/features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

class Row {
 public:
  explicit Row(const v1::Atom& atom, predict::RowContext context = {}) {
    const predict::Work work = predict::work_of(atom, context.threads);
    predict::fill_features(work, context, values_);
  }
  float operator[](const std::string& name) const {
    const auto& names = predict::feature_names();
    const auto at = std::find(names.begin(), names.end(), name);
    EXPECT_NE(at, names.end()) << name;
    return values_.at(static_cast<std::size_t>(at - names.begin()));
  }
  const std::vector<float>& values() const { return values_; }

 private:
  std::vector<float> values_;
};

TEST(Work, CountsActivationsAndWeights) {
  const v1::Atom atom = conv2d(8, 16, 10, 3, 2);
  const predict::Work work = predict::work_of(atom, 1);
  EXPECT_EQ(work.operator_key, "aten::conv2d");
  EXPECT_EQ(work.backend, "Slow2d");
  EXPECT_EQ(work.bytes_in, 8 * 10 * 10 * 4);
  EXPECT_EQ(work.bytes_out, 16 * 5 * 5 * 4);
  EXPECT_EQ(work.weight_bytes, 16 * 8 * 9 * 4);
  EXPECT_EQ(work.macs, 16 * 5 * 5 * 8 * 9);
}

TEST(Work, IsTheSameForAnAtomAndItsSample) {
  SyntheticOptions options;
  options.configurations = 20;
  const v1::SampleSet set = synthetic_samples(options);
  for (const v1::Sample& sample : set.samples()) {
    v1::Atom atom;
    *atom.mutable_operators() = sample.operators();
    atom.set_kind(sample.kind());
    EXPECT_EQ(predict::work_of(atom, 1).bytes(), predict::work_of(sample, 1).bytes());
    EXPECT_EQ(predict::work_of(atom, 1).macs, predict::work_of(sample, 1).macs);
  }
}

TEST(Work, OfOpaqueAtomsIsWhatTheAtomSays) {
  v1::Atom atom;
  atom.set_kind(v1::STATEFUL);
  atom.set_macs(100);
  atom.set_weight_bytes(400);
  const predict::Work work = predict::work_of(atom, 1);
  EXPECT_EQ(work.operator_key, "STATEFUL ");
  EXPECT_EQ(work.macs, 100);
  EXPECT_EQ(work.bytes(), 400);
  EXPECT_TRUE(std::isnan(Row(atom)["batch"]));
}

TEST(Features, HaveDistinctNames) {
  const auto& names = predict::feature_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  EXPECT_EQ(names[predict::kLoadColumn], "cpu_load");
}

TEST(Features, DescribeAConvolution) {
  const Row row(conv2d(8, 24, 10, 3, 2), {4, 1, 2, 0.5, 3});
  EXPECT_EQ(row["operator"], 4);
  EXPECT_EQ(row["backend"], 1);
  EXPECT_EQ(row["threads"], 2);
  EXPECT_EQ(row["cpu_load"], 0.5);
  EXPECT_EQ(row["log_baseline"], 3);
  EXPECT_EQ(row["channels_in"], 8);
  EXPECT_EQ(row["channels_out"], 24);
  EXPECT_EQ(row["channels_out_mod_16"], 8);
  EXPECT_EQ(row["height_in"], 10);
  EXPECT_EQ(row["width_out"], 5);
  EXPECT_EQ(row["kernel_height"], 3);
  EXPECT_EQ(row["kernel_width"], 3);
  EXPECT_EQ(row["stride_height"], 2);
  EXPECT_EQ(row["padding"], 1);
  EXPECT_EQ(row["groups"], 1);
  EXPECT_EQ(row["depthwise"], 0);
  EXPECT_EQ(row["tensors_in"], 2);
  EXPECT_FLOAT_EQ(row["log_macs"], std::log1p(24.0F * 25 * 8 * 9));
  EXPECT_EQ(Row(conv2d(8, 8, 10, 3, 1, 8))["depthwise"], 1);
  EXPECT_EQ(Row(conv2d(8, 8, 10, 3, 1, 4))["depthwise"], 0);
}

TEST(Features, DescribeAMatrixProduct) {
  const Row row(linear(16, 64, 100));
  EXPECT_EQ(row["inner"], 64);
  EXPECT_EQ(row["columns"], 100);
  EXPECT_FLOAT_EQ(row["log_rows"], std::log1p(16.0F));
  EXPECT_TRUE(std::isnan(row["kernel_height"]));
  EXPECT_TRUE(std::isnan(row["operator"])) << "not in the vocabulary";
}

TEST(Features, AreNeverInfinite) {
  v1::Atom atom = conv2d(8, 8, 10, 3);
  v1::Operator& op = *atom.mutable_operators(0);
  const auto huge = std::numeric_limits<std::int64_t>::max();
  for (auto& size : *op.mutable_arguments(0)->mutable_tensors(0)->mutable_shape()) size = huge;
  op.set_macs(std::numeric_limits<std::uint64_t>::max());
  op.mutable_arguments(2)->set_numbers(0, std::numeric_limits<double>::infinity());
  op.mutable_arguments(3)->set_numbers(0, 1e300);
  op.mutable_results(0)->set_shape(3, 0);
  op.mutable_results(0)->set_shape(1, -5);
  const Row row(atom);
  for (const float value : row.values()) EXPECT_FALSE(std::isinf(value));
}

}  // namespace
}  // namespace adamec::testing
