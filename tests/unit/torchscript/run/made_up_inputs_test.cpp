#include "adamec/torchscript/run/made_up_inputs.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/dtype.h"
#include "adamec/torchscript/run/execute.h"

namespace adamec::torchscript {
namespace {

v1::TensorType type_of(v1::DataType dtype, const std::vector<std::int64_t>& shape) {
  v1::TensorType type;
  type.set_dtype(dtype);
  for (const std::int64_t size : shape) type.add_shape(size);
  return type;
}

at::Tensor make(const v1::TensorType& type, MadeUpIntegers integers = MadeUpIntegers::kZeroOrOne,
                std::uint64_t seed = 3) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return made_up_tensor(type, generator, integers);
}

TEST(MadeUpInputs, HaveTheTypeAndComeFromTheSeed) {
  for (int dtype = v1::DataType_MIN; dtype <= v1::DataType_MAX; ++dtype) {
    if (!v1::DataType_IsValid(dtype) || dtype == v1::DATA_TYPE_UNSPECIFIED) continue;
    const v1::TensorType type = type_of(static_cast<v1::DataType>(dtype), {50, 3});
    const at::Tensor tensor = make(type);
    EXPECT_EQ(to_dtype(tensor.scalar_type()), type.dtype());
    EXPECT_EQ(tensor.sizes().vec(), (std::vector<std::int64_t>{50, 3}));
    EXPECT_TRUE(bit_identical(tensor, make(type))) << v1::DataType_Name(dtype);
    EXPECT_FALSE(bit_identical(tensor, make(type, MadeUpIntegers::kZeroOrOne, 4)))
        << v1::DataType_Name(dtype);
  }
  EXPECT_THROW(make(v1::TensorType()), Error);
}

TEST(MadeUpInputs, IntegersAreZeroOrOneOrAllZero) {
  for (const v1::DataType dtype : {v1::UINT8, v1::INT8, v1::INT16, v1::INT32, v1::INT64}) {
    const v1::TensorType type = type_of(dtype, {1000});
    EXPECT_TRUE(holds_integers(type));
    const at::Tensor drawn = make(type);
    EXPECT_EQ(drawn.min().item<int>(), 0);
    EXPECT_EQ(drawn.max().item<int>(), 1);
    EXPECT_EQ(make(type, MadeUpIntegers::kZero).count_nonzero().item<int>(), 0);
  }
}

// They are no indices: masks of nothing would leave nothing to do.
TEST(MadeUpInputs, TruthValuesAreAlwaysDrawn) {
  const v1::TensorType type = type_of(v1::BOOL, {1000});
  EXPECT_FALSE(holds_integers(type));
  EXPECT_TRUE(make(type, MadeUpIntegers::kZero).any().item<bool>());
  EXPECT_FALSE(make(type, MadeUpIntegers::kZero).all().item<bool>());
}

TEST(MadeUpInputs, QuantisedNumbersUseAllThatEightBitsHold) {
  for (const v1::DataType dtype : {v1::QUINT8, v1::QINT8}) {
    const at::Tensor tensor = make(type_of(dtype, {20000}));
    EXPECT_EQ(tensor.q_scale(), kMadeUpScale);
    const at::Tensor numbers = tensor.int_repr();
    EXPECT_EQ(numbers.max().item<int>() - numbers.min().item<int>(), 255);
    EXPECT_NEAR(tensor.dequantize().mean().item<double>(), 0, 0.05);
  }
}

TEST(MadeUpInputs, ViewsOfMemoryHaveTheirStrides) {
  v1::TensorType type = type_of(v1::FLOAT32, {10, 100});
  for (const std::int64_t stride : {1, 10}) type.add_strides(stride);
  type.set_subnormal_permille(430);
  const at::Tensor tensor = make(type);
  EXPECT_EQ(tensor.strides().vec(), (std::vector<std::int64_t>{1, 10}));
  const at::Tensor small = tensor.abs() < 1.17549435e-38;
  EXPECT_EQ(small.sum().item<int>(), 430);
}

TEST(MadeUpInputs, ComplexNumbersHaveBothParts) {
  const at::Tensor parts = at::view_as_real(make(type_of(v1::COMPLEX64, {100})));
  EXPECT_GT(parts.select(1, 0).std().item<double>(), 0.3);
  EXPECT_GT(parts.select(1, 1).std().item<double>(), 0.3);
}

}  // namespace
}  // namespace adamec::torchscript
