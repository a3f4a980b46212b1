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

// The convolution as tracing records it.
v1::Atom traced(v1::Atom atom) {
  v1::Operator& op = *atom.mutable_operators(0);
  op.set_name("aten::_convolution");
  v1::Argument& transposed = *op.add_arguments();
  transposed.set_name("transposed");
  transposed.set_literal("false");
  transposed.add_numbers(0);
  return atom;
}

std::string class_of(const std::string& name) {
  v1::Atom atom = relu({1, 8});
  atom.mutable_operators(0)->set_name(name);
  return predict::work_of(atom, 1).class_key;
}

TEST(Work, OfOneClassHasOneName) {
  EXPECT_EQ(predict::work_of(traced(conv2d(8, 8, 10, 3)), 1).class_key, "aten::conv2d");
  EXPECT_EQ(predict::work_of(traced(conv2d(8, 8, 10, 3)), 1).operator_key, "aten::_convolution");
  EXPECT_EQ(class_of("aten::relu_"), "aten::relu");
  EXPECT_EQ(class_of("aten::add_.Tensor"), "aten::add.Tensor");
  EXPECT_EQ(class_of("aten::__and__.Tensor"), "aten::__and__.Tensor");
  EXPECT_EQ(class_of("a_"), "a_");
}

TEST(Work, HasTheSameKeyUnderAllNames) {
  const auto key = [](const v1::Atom& atom) {
    return predict::work_key(predict::work_of(atom, 1));
  };
  EXPECT_EQ(key(traced(conv2d(8, 8, 10, 3))), key(conv2d(8, 8, 10, 3)));
  EXPECT_NE(key(conv2d(8, 8, 10, 3)), key(conv2d(8, 8, 11, 3)));
  EXPECT_NE(key(conv2d(8, 8, 10, 3)), key(conv2d(8, 8, 10, 3, 2)));
}

// Reading what does not lie row by row is other work.
TEST(Work, ThatReadsStridedActivationsIsAFamilyOfItsOwn) {
  const auto with_strides = [](v1::Atom atom, int argument, std::vector<std::int64_t> strides) {
    v1::TensorType& type =
        *atom.mutable_operators(0)->mutable_arguments(argument)->mutable_tensors(0);
    type.mutable_strides()->Assign(strides.begin(), strides.end());
    return atom;
  };
  EXPECT_EQ(predict::work_of(relu({2, 3, 5}), 1).backend, "");
  const v1::Atom turned = with_strides(relu({2, 3, 5}), 0, {5, 10, 1});
  EXPECT_EQ(predict::work_of(turned, 1).backend, "strided");
  v1::Atom conv = with_strides(conv2d(8, 8, 4, 3), 0, {128, 1, 32, 8});
  conv.mutable_operators(0)->set_backend_one_thread("Mkldnn");
  EXPECT_EQ(predict::work_of(conv, 1).backend, "Mkldnn strided");
  // How weights lie is the same for all of a kind.
  EXPECT_EQ(predict::work_of(with_strides(linear(1, 8, 4), 1, {1, 4}), 1).backend, "");

  EXPECT_TRUE(std::isnan(Row(relu({2, 3, 5}))["log_run"]));
  EXPECT_FLOAT_EQ(Row(turned)["log_run"], std::log1p(5.0F));
  EXPECT_FLOAT_EQ(Row(with_strides(relu({2, 3, 5}), 0, {1, 2, 6}))["log_run"], std::log1p(1.0F));
  EXPECT_NE(predict::work_key(predict::work_of(turned, 1)),
            predict::work_key(predict::work_of(relu({2, 3, 5}), 1)));
}

TEST(Work, OnSubnormalNumbersIsAFamilyOfItsOwn) {
  v1::Atom atom = relu({2, 3, 5});
  v1::TensorType& type = *atom.mutable_operators(0)->mutable_arguments(0)->mutable_tensors(0);
  EXPECT_TRUE(std::isnan(Row(atom)["subnormal_share"]));
  type.set_subnormal_permille(430);
  EXPECT_EQ(predict::work_of(atom, 1).backend, "subnormal");
  EXPECT_FLOAT_EQ(Row(atom)["subnormal_share"], 0.43F);
  EXPECT_FLOAT_EQ(Row(atom)["log_steps"], std::log1p(0.43F * 30));  // those that take the time
  EXPECT_NE(predict::work_key(predict::work_of(atom, 1)),
            predict::work_key(predict::work_of(relu({2, 3, 5}), 1)));
  for (const std::int64_t stride : {5, 10, 1}) type.add_strides(stride);
  EXPECT_EQ(predict::work_of(atom, 1).backend, "strided subnormal");
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

TEST(Features, SeeTheMatrixProductOfAConvolution) {
  const Row row(conv2d(8, 32, 10, 3, 1, 2));
  EXPECT_FLOAT_EQ(row["log_gemm_rows"], std::log1p(16.0F));
  EXPECT_FLOAT_EQ(row["log_gemm_columns"], std::log1p(100.0F));
  EXPECT_FLOAT_EQ(row["log_gemm_inner"], std::log1p(36.0F));
  EXPECT_FLOAT_EQ(row["aligned_channels"], 1.75F);
  EXPECT_FLOAT_EQ(row["aligned_gemm_inner"], 0.25F);
  EXPECT_FLOAT_EQ(row["log_kernel_height"], std::log2(3.0F));
  const Row product(linear(16, 64, 100));
  EXPECT_FLOAT_EQ(product["log_gemm_inner"], std::log1p(64.0F));
  EXPECT_FLOAT_EQ(product["log_gemm_rows"], std::log1p(100.0F));
  EXPECT_TRUE(std::isnan(Row(relu({1, 8}))["log_gemm_inner"]));
  // Rows a page apart compete for the cache, unless each is read once.
  EXPECT_FLOAT_EQ(Row(linear(16, 1024, 100))["aligned_gemm_inner"], 7.0F);
  EXPECT_FLOAT_EQ(Row(linear(1, 1024, 100))["aligned_gemm_inner"], 1.75F);
}

TEST(Features, CountTheStepsOfPooling) {
  v1::Atom atom = conv2d(8, 8, 10, 1, 2);  // 10 x 10 to 5 x 5
  v1::Operator& op = *atom.mutable_operators(0);
  op.mutable_arguments()->DeleteSubrange(1, op.arguments_size() - 1);
  op.set_macs(0);
  atom.set_macs(0);
  op.set_name("aten::adaptive_avg_pool2d");
  EXPECT_FLOAT_EQ(Row(atom)["log_steps"], std::log1p(8 * 5 * 5 * 4.0F));
  op.set_name("aten::max_pool2d");
  v1::Argument& kernel = *op.add_arguments();
  kernel.set_name("kernel_size");
  kernel.add_numbers(3);
  kernel.add_numbers(3);
  EXPECT_FLOAT_EQ(Row(atom)["log_steps"], std::log1p(8 * 5 * 5 * 9.0F));
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
