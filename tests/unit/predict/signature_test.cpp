#include "adamec/predict/signature.h"

#include <gtest/gtest.h>

#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using predict::signature;

TEST(Signature, IsReadable) {
  EXPECT_EQ(signature(linear(1, 8, 4)),
            "aten::linear(input=float32[1,8],weight=weight float32[4,8],"
            "bias=weight float32[4])->float32[1,4]");
}

TEST(Signature, IgnoresNamesRecordsAndPositions) {
  v1::Atom atom = conv2d(3, 8, 16, 3);
  const std::string before = signature(atom);
  atom.set_id("other");
  atom.set_record("atoms/other.pt");
  atom.set_sha256("00");
  atom.set_source("net.py:1");
  atom.add_inputs("x");
  atom.set_kind(v1::VIEW);
  EXPECT_EQ(signature(atom), before);
}

TEST(Signature, TellsConfigurationsApart) {
  const std::string base = signature(conv2d(8, 8, 16, 3));
  EXPECT_NE(signature(conv2d(8, 8, 17, 3)), base);
  EXPECT_NE(signature(conv2d(8, 8, 16, 5)), base);
  EXPECT_NE(signature(conv2d(8, 8, 16, 3, 2)), base);
  EXPECT_NE(signature(conv2d(8, 8, 16, 3, 1, 8)), base);
  v1::Atom atom = conv2d(8, 8, 16, 3);
  atom.mutable_operators(0)->mutable_arguments(1)->set_weight(false);
  EXPECT_NE(signature(atom), base);
  atom = conv2d(8, 8, 16, 3);
  atom.mutable_operators(0)->mutable_arguments(0)->mutable_tensors(0)->set_dtype(v1::FLOAT16);
  EXPECT_NE(signature(atom), base);
  atom = conv2d(8, 8, 16, 3);
  *atom.add_operators() = relu({1, 8, 16, 16}).operators(0);
  EXPECT_NE(signature(atom), base);
}

TEST(Signature, TellsLayoutsInMemoryApart) {
  v1::Atom atom = relu({2, 3});
  v1::TensorType& input = *atom.mutable_operators(0)->mutable_arguments(0)->mutable_tensors(0);
  input.add_strides(1);
  input.add_strides(2);
  EXPECT_EQ(signature(atom), "aten::relu(self=float32[2,3:1,2])->float32[2,3]");
  input.set_subnormal_permille(430);
  EXPECT_EQ(signature(atom), "aten::relu(self=float32[2,3:1,2]~430/1000)->float32[2,3]");
}

TEST(Signature, TellsOpaqueAtomsApartByTheirWork) {
  v1::Atom atom = relu({1, 8});
  atom.set_kind(v1::CONTROL_FLOW);
  const std::string before = signature(atom);
  EXPECT_TRUE(before.starts_with("CONTROL_FLOW macs=0 weights=0: aten::relu("));
  atom.set_macs(7);
  EXPECT_NE(signature(atom), before);
}

TEST(Signature, IsOneLine) {
  v1::Atom atom = relu({1});
  v1::Argument& argument = *atom.mutable_operators(0)->add_arguments();
  argument.set_name("text");
  argument.set_literal("a\nb\\x0a");
  EXPECT_EQ(signature(atom), "aten::relu(self=float32[1],text=a\\x0ab\\x5cx0a)->float32[1]");
}

TEST(Signature, HashIsFnv1a) {
  // Published test vectors of 64-bit FNV-1a.
  EXPECT_EQ(predict::signature_hash(""), 0xcbf29ce484222325u);
  EXPECT_EQ(predict::signature_hash("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(predict::signature_hash("foobar"), 0x85944171f73967e8u);
}

}  // namespace
}  // namespace adamec::testing
