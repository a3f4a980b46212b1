#include "adamec/torchscript/split/operator_atom.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/measure/synthesis/synthesis.h"
#include "adamec/predict/signature.h"
#include "tests/support/run_command.h"

namespace adamec::torchscript {
namespace {

v1::Manifest split(const std::string& model, const std::string& input) {
  SplitOptions options;
  options.model = testing::source_path("models/" + model);
  options.inputs = {input};
  options.verify = false;
  return split_model(options).manifest;
}

// What is made from an operator's description alone is described like the atom it came from.
TEST(OperatorAtom, GetsTheSignatureOfTheAtomItIsModelledOn) {
  int compared = 0;
  for (const v1::Manifest& manifest :
       {split("squeezenet1_1_small.traced.pt", "float32[1,3,224,224]"),
        split("mobilenet_v2_w25.traced.pt", "float32[1,3,224,224]"),
        split("classifier_quantised.scripted.pt", "float32[1,8,16,16]"),
        split("health_cnn_lstm.scripted.pt", "float32[1,6,128]")}) {
    for (const v1::Atom& atom : manifest.atoms()) {
      if (atom.kind() != v1::OPERATOR || atom.operators_size() != 1) continue;
      if (atom.operators(0).name() == "aten::lstm.input") continue;  // its weights share memory
      const SplitResult made = operator_atom(atom.operators(0), "made", 7);
      EXPECT_EQ(predict::signature(made.manifest.atoms(0)), predict::signature(atom));
      EXPECT_EQ(made.manifest.atoms(0).macs(), atom.macs()) << atom.id();
      EXPECT_EQ(made.manifest.atoms(0).operators(0).backend_one_thread(),
                atom.operators(0).backend_one_thread());
      EXPECT_EQ(made.records.size(), 1U);
      ++compared;
    }
  }
  EXPECT_GT(compared, 100);
}

// Subnormal numbers stay: they are what takes the time.
TEST(OperatorAtom, KeepsSharesOfSubnormalNumbers) {
  for (const std::string call :
       {"aten::matmul(self=float32[4,50,40]~430/1000,other=float32[4,40,32])",
        "aten::matmul(self=float32[4,50,40],other=float32[4,40,32:1280,1,40]~250/1000)",
        "aten::relu(self=float32[1000])"}) {
    const SplitResult made = operator_atom(measure::parse_operator(call), "made", 7);
    const std::string signature = predict::signature(made.manifest.atoms(0));
    EXPECT_EQ(signature.substr(0, signature.find("->")), call);
    const bool subnormal = call.find('~') != std::string::npos;
    EXPECT_EQ(std::any_of(made.manifest.tensors().begin(), made.manifest.tensors().end(),
                          [](const v1::Tensor& tensor) {
                            return tensor.role() == v1::INPUT &&
                                   tensor.type().subnormal_permille() > 0;
                          }),
              subnormal);
  }
}

TEST(OperatorAtom, MakesMultiHeadAttention) {
  for (const v1::Operator& call : measure::synthesize("multi_head_attention", 5, {}, 0)) {
    const SplitResult made = operator_atom(call, "made", 7);
    ASSERT_EQ(made.manifest.atoms_size(), 1);
    EXPECT_EQ(made.manifest.atoms(0).operators(0).name(), "aten::_native_multi_head_attention");
    const auto& query = call.arguments(0).tensors(0);
    const std::int64_t length = query.shape(1);
    const std::int64_t width = query.shape(2);
    EXPECT_EQ(made.manifest.atoms(0).macs(),
              static_cast<std::uint64_t>(4 * length * width * width + 2 * length * length * width));
  }
}

TEST(OperatorAtom, RefusesWhatCannotRun) {
  const auto error_of = [](const v1::Operator& op) -> std::string {
    try {
      static_cast<void>(operator_atom(op, "made", 0));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  v1::Operator op;
  op.set_name("aten::no_such_thing");
  EXPECT_EQ(error_of(op), "made: no operator 'aten::no_such_thing' in this LibTorch");
  op.set_name("relu");
  EXPECT_EQ(error_of(op), "made: no operator 'relu' in this LibTorch");
  op.set_name("aten::relu");
  EXPECT_EQ(error_of(op), "made: self: argument is missing");
  op.set_name("aten::flatten.using_ints");
  v1::Argument& self = *op.add_arguments();
  self.set_name("self");
  self.add_tensors()->set_dtype(v1::FLOAT32);
  self.mutable_tensors(0)->add_shape(4);
  v1::Argument& start = *op.add_arguments();
  start.set_name("start_dim");
  start.set_literal("first");
  EXPECT_EQ(error_of(op), "made: start_dim: 'first' is not a number");
  start.set_literal("5");
  EXPECT_NE(error_of(op).find("made: "), std::string::npos);
}

}  // namespace
}  // namespace adamec::torchscript
