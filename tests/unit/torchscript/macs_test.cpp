#include "adamec/torchscript/macs.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace adamec::torchscript {
namespace {

std::uint64_t macs(const std::string& text) {
  v1::Operator op;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &op)) << text;
  return multiply_accumulates(op);
}

std::string tensor(const std::string& name, const std::string& shape) {
  return "arguments { name: '" + name + "' tensors { dtype: FLOAT32 shape: " + shape + " } } ";
}

TEST(Macs, ConvolutionCountsTheKernelPerOutput) {
  // 64 x 3 x 7 x 7 kernel, 112 x 112 outputs: 64 * 112 * 112 * 3 * 49.
  EXPECT_EQ(macs("name: 'aten::conv2d' " + tensor("input", "[1, 3, 224, 224]") +
                 tensor("weight", "[64, 3, 7, 7]") +
                 "results { dtype: FLOAT32 shape: [1, 64, 112, 112] }"),
            118013952u);
  // Depthwise: one input channel per filter.
  EXPECT_EQ(
      macs("name: 'aten::_convolution' " + tensor("input", "[1, 8, 10, 10]") +
           tensor("weight", "[8, 1, 3, 3]") + "results { dtype: FLOAT32 shape: [1, 8, 10, 10] }"),
      7200u);
}

TEST(Macs, TransposedConvolutionCountsTheKernelPerInput) {
  EXPECT_EQ(
      macs("name: 'aten::conv_transpose2d.input' " + tensor("input", "[1, 4, 5, 5]") +
           tensor("weight", "[4, 2, 3, 3]") + "results { dtype: FLOAT32 shape: [1, 2, 11, 11] }"),
      100u * 18u);
}

TEST(Macs, MatrixProducts) {
  EXPECT_EQ(macs("name: 'aten::linear' " + tensor("input", "[2, 197, 768]") +
                 tensor("weight", "[10, 768]") + "results { dtype: FLOAT32 shape: [2, 197, 10] }"),
            2u * 197 * 10 * 768);
  EXPECT_EQ(macs("name: 'aten::addmm' " + tensor("self", "[5]") + tensor("mat1", "[3, 4]") +
                 tensor("mat2", "[4, 5]") + "results { dtype: FLOAT32 shape: [3, 5] }"),
            60u);
  EXPECT_EQ(
      macs("name: 'aten::bmm' " + tensor("self", "[12, 197, 64]") +
           tensor("mat2", "[12, 64, 197]") + "results { dtype: FLOAT32 shape: [12, 197, 197] }"),
      12u * 197 * 197 * 64);
}

TEST(Macs, AttentionAndRecurrentLayers) {
  EXPECT_EQ(macs("name: 'aten::scaled_dot_product_attention' " + tensor("query", "[1, 2, 3, 4]") +
                 tensor("key", "[1, 2, 5, 4]") + tensor("value", "[1, 2, 5, 6]")),
            2u * 3 * 5 * (4 + 6));
  EXPECT_EQ(macs("name: 'aten::lstm.input' " + tensor("input", "[7, 1, 3]") +
                 "arguments { name: 'params' tensors { shape: [8, 3] } tensors { shape: [8, 2] } "
                 "tensors { shape: [8] } }"),
            7u * (24 + 16));
}

TEST(Macs, MemoryBoundOperatorsHaveNone) {
  EXPECT_EQ(macs("name: 'aten::relu' " + tensor("self", "[1, 64, 112, 112]")), 0u);
  EXPECT_EQ(macs("name: 'aten::conv2d'"), 0u);
}

}  // namespace
}  // namespace adamec::torchscript
