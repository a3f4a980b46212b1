#include "adamec/torchscript/describe/macs.h"

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

TEST(Macs, QuantisedAndPrepackedOperatorsAreLikePlainOnes) {
  const std::string convolution = tensor("qx", "[1, 3, 224, 224]") +
                                  tensor("weight", "[64, 3, 7, 7]") +
                                  "results { dtype: QUINT8 shape: [1, 64, 112, 112] }";
  for (const char* name : {"quantized::conv2d.new", "quantized::conv2d_relu.new",
                           "quantized::conv2d_add_relu", "prepacked::conv2d_clamp_run"}) {
    EXPECT_EQ(macs("name: '" + std::string(name) + "' " + convolution), 118013952u) << name;
  }
  const std::string linear = tensor("X", "[2, 197, 768]") + tensor("weight", "[3072, 768]") +
                             "results { dtype: FLOAT32 shape: [2, 197, 3072] }";
  for (const char* name : {"quantized::linear", "quantized::linear_dynamic",
                           "quantized::linear_relu_dynamic", "prepacked::linear_clamp_run"}) {
    EXPECT_EQ(macs("name: '" + std::string(name) + "' " + linear), 2u * 197 * 3072 * 768) << name;
  }
  EXPECT_EQ(macs("name: 'quantized::linear_prepack' " + linear), 0u);
  EXPECT_EQ(macs("name: 'aten::quantized_lstm.input' " + tensor("input", "[7, 1, 3]") +
                 "arguments { name: 'hx' tensors { shape: [1, 2] } } "
                 "arguments { name: 'params' tensors { shape: [8, 3] } tensors { shape: [8] } "
                 "tensors { shape: [8, 2] } tensors { shape: [8] } }"),
            7u * (24 + 16));
  EXPECT_EQ(macs("name: 'quantized::quantized_gru_cell_dynamic' " + tensor("input", "[5, 3]") +
                 tensor("hx", "[5, 2]") + tensor("w_ih", "[6, 3]") + tensor("w_hh", "[6, 2]")),
            5u * (18 + 12));
}

TEST(Macs, FusedEncoderLayersCountTheirPartsTogether) {
  const std::string attention =
      tensor("qkv_weight", "[96, 32]") + tensor("proj_weight", "[32, 32]");
  const std::uint64_t tokens = 2 * 10;
  const std::uint64_t parts = 96 * 32 + 32 * 32 + 2 * 10 * 32;
  EXPECT_EQ(macs("name: 'aten::_native_multi_head_attention' " + tensor("query", "[2, 10, 32]") +
                 tensor("key", "[2, 10, 32]") + tensor("value", "[2, 10, 32]") + attention),
            tokens * parts);
  EXPECT_EQ(
      macs("name: 'aten::_transformer_encoder_layer_fwd' " + tensor("src", "[2, 10, 32]") +
           attention + tensor("ffn_weight_1", "[64, 32]") + tensor("ffn_weight_2", "[32, 64]")),
      tokens * (parts + 2 * 64 * 32));
}

TEST(Macs, MemoryBoundOperatorsHaveNone) {
  EXPECT_EQ(macs("name: 'aten::relu' " + tensor("self", "[1, 64, 112, 112]")), 0u);
  EXPECT_EQ(macs("name: 'aten::conv2d'"), 0u);
}

}  // namespace
}  // namespace adamec::torchscript
