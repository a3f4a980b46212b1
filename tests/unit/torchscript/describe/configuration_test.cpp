// What atoms tell a predictor where shapes alone do not: packed weights, branches, loops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "adamec/proto/tensor_type.h"
#include "adamec/torchscript/describe/subnormals.h"
#include "adamec/torchscript/run/made_up_inputs.h"
#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

const v1::Atom& atom_of(const torchscript::SplitResult& result, const std::string& name) {
  for (const v1::Atom& atom : result.manifest.atoms()) {
    if (atom.operators(0).name().starts_with(name)) return atom;
  }
  ADD_FAILURE() << "no " << name << " among " << operators(result);
  return v1::Atom::default_instance();
}

std::map<std::string, v1::Argument> arguments_of(const v1::Operator& op) {
  std::map<std::string, v1::Argument> arguments;
  for (const v1::Argument& argument : op.arguments()) arguments[argument.name()] = argument;
  return arguments;
}

std::vector<std::int64_t> shape_of(const v1::Argument& argument) {
  const auto& shape = argument.tensors(0).shape();
  return {shape.begin(), shape.end()};
}

torchscript::SplitResult split_committed(const std::string& file, const std::string& input) {
  torchscript::SplitOptions options;
  options.model = source_path("models/" + file);
  options.inputs = {input};
  return torchscript::split_model(options);
}

TEST(Configuration, PackedConvolutionsTellWeightsAndSettings) {
  const auto result = split_committed("classifier_quantised.scripted.pt", "float32[1,8,16,16]");
  const v1::Atom& atom = atom_of(result, "quantized::conv2d_relu");
  auto arguments = arguments_of(atom.operators(0));
  EXPECT_EQ(shape_of(arguments["qx"]), (std::vector<std::int64_t>{1, 8, 16, 16}));
  EXPECT_FALSE(arguments["qx"].weight());
  EXPECT_EQ(shape_of(arguments["weight"]), (std::vector<std::int64_t>{12, 2, 3, 3}));
  EXPECT_EQ(arguments["weight"].tensors(0).dtype(), v1::QINT8);
  EXPECT_TRUE(arguments["weight"].weight());
  EXPECT_EQ(shape_of(arguments["bias"]), std::vector<std::int64_t>{12});
  EXPECT_EQ(arguments["stride"].literal(), "[2, 2]");
  EXPECT_EQ(arguments["padding"].literal(), "[1, 1]");
  EXPECT_EQ(arguments["groups"].numbers(0), 4);
  EXPECT_EQ(arguments["transposed"].literal(), "false");
  EXPECT_EQ(atom.macs(), 12u * 8 * 8 * 2 * 9);
  EXPECT_EQ(atom.weight_bytes(), 12u * 2 * 9 + 12u * 4);
  EXPECT_FALSE(atom.operators(0).backend_one_thread().empty());
  EXPECT_EQ(atom_of(result, "quantized::linear").macs(), 10u * 16);
}

TEST(Configuration, PackedLinearAndRecurrentLayersTellWeights) {
  const auto result = split_committed("tagger_quantised.scripted.pt", "int64[1,12]<300");
  const v1::Atom& linear = atom_of(result, "quantized::linear_dynamic");
  auto arguments = arguments_of(linear.operators(0));
  EXPECT_EQ(shape_of(arguments["weight"]), (std::vector<std::int64_t>{64, 64}));
  EXPECT_EQ(linear.macs(), 12u * 64 * 64);
  // Two directions, four gates of 32, from 32 inputs and 32 hidden values.
  EXPECT_EQ(atom_of(result, "aten::quantized_lstm").macs(), 12u * 2 * 4 * 32 * (32 + 32));
}

// exp(-95) is subnormal, as what attention with a mask makes.
TEST(Configuration, TellsWhichTensorsAreSubnormal) {
  const auto masked = split_source(R"(
def forward(self, x: Tensor):
    mask = torch.zeros([12, 12])
    mask[:, 3:] = -95.0
    weights = torch.softmax(x + mask, -1)
    return torch.matmul(torch.relu(x), weights), torch.matmul(weights, torch.sigmoid(x))
)",
                                   {"float32[12,12]"});
  std::vector<std::string> products;
  for (const v1::Atom& atom : masked.manifest.atoms()) {
    const v1::Operator& op = atom.operators(0);
    if (!op.name().starts_with("aten::matmul")) continue;
    for (const v1::Argument& argument : op.arguments()) {
      products.push_back(tensor_layout_text(argument.tensors(0)));
    }
  }
  // Both arguments have the same type: which of them it is follows from their order.
  EXPECT_EQ(products, (std::vector<std::string>{"float32[12,12]", "float32[12,12]~750/1000",
                                                "float32[12,12]~750/1000", "float32[12,12]"}));
  std::map<std::string, unsigned> shares;
  for (const v1::Tensor& tensor : masked.manifest.tensors()) {
    if (tensor.type().subnormal_permille() > 0) {
      shares[tensor.id()] = tensor.type().subnormal_permille();
    }
  }
  // The columns of the first product are sums of them.
  EXPECT_EQ(shares, (std::map<std::string, unsigned>{{"softmax:0", 750}, {"matmul:0", 750}}));
}

TEST(Configuration, CountsSubnormalNumbers) {
  const float least = std::numeric_limits<float>::min();
  const at::Tensor numbers = at::tensor({0.0F, -0.0F, least, -least, least / 2, -least / 4, 1.0F,
                                         std::numeric_limits<float>::infinity(),
                                         std::numeric_limits<float>::quiet_NaN(), 1e-44F});
  EXPECT_EQ(torchscript::subnormal_permille(numbers), 300u);
  EXPECT_EQ(torchscript::subnormal_permille(numbers.view({2, 5}).t()), 300u);
  EXPECT_EQ(torchscript::subnormal_permille(numbers.to(at::kDouble)), 0u);
  EXPECT_EQ(torchscript::subnormal_permille(at::empty({0})), 0u);
  for (const std::uint32_t permille : {0U, 1U, 333U, 430U, 1000U}) {
    at::Tensor spread = at::ones({100, 100});
    torchscript::spread_subnormals(spread, permille);
    EXPECT_EQ(torchscript::subnormal_permille(spread), permille);
  }
}

TEST(Configuration, TellsHowTensorsLieInMemory) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    turned = x.transpose(1, 2)
    some = torch.relu(turned)[:, 1:3]
    return some.contiguous(), torch.sigmoid(x[0].expand(7, 6, 8)), turned.contiguous()
)",
                                   {"float32[1,6,8]"});
  const auto layout = [&](const std::string& name) {
    return tensor_layout_text(atom_of(result, name).operators(0).arguments(0).tensors(0));
  };
  EXPECT_EQ(layout("aten::transpose"), "float32[1,6,8]");
  EXPECT_EQ(layout("aten::relu"), "float32[1,8,6:48,1,8]");
  EXPECT_EQ(layout("aten::sigmoid"), "float32[7,6,8:0,8,1]");
  EXPECT_EQ(layout("aten::contiguous"), "float32[1,2,6:48,1,8]");
  std::map<std::string, std::string> outputs;
  for (const v1::Tensor& tensor : result.manifest.tensors()) {
    outputs[tensor.id()] = tensor_layout_text(tensor.type());
  }
  EXPECT_EQ(outputs.at("transpose:0"), "float32[1,8,6:48,1,8]");
  EXPECT_EQ(outputs.at("relu:0"), "float32[1,8,6:48,1,8]");
}

TEST(Configuration, BranchesAndLoopsCountWhatRan) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    n = 0
    while n < 3 and bool(x.abs().sum() > -1.0):
        x = torch.mm(x, x)
        n += 1
    if bool(x.sum() > 1e30):
        x = torch.mm(x, torch.mm(x, x))
    return x
)",
                                   {"float32[4,4]"});
  std::uint64_t macs = 0;
  for (const v1::Atom& atom : result.manifest.atoms()) macs += atom.macs();
  EXPECT_EQ(macs, 3u * 64);
}

TEST(Configuration, OperatorsMadeOfOthersCountThese) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    return torch.einsum("bij,jk->bik", [x, self.w])
)",
                                   {"float32[2,3,4]"}, [](torch::jit::Module& module) {
                                     module.register_buffer("w", torch::randn({4, 5}));
                                   });
  const v1::Atom& atom = atom_of(result, "aten::einsum");
  EXPECT_EQ(atom.macs(), 2u * 3 * 4 * 5);
  EXPECT_EQ(atom.operators(0).macs(), atom.macs());
}

TEST(Configuration, ViewsAreMarked) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    return x.reshape([4, 6]).permute([1, 0])[2:4] + 1
)",
                                   {"float32[2,12]"});
  EXPECT_EQ(operators(result), "aten::reshape aten::permute aten::slice aten::add");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(result.manifest.atoms(i).kind(), v1::VIEW);
  EXPECT_EQ(result.manifest.atoms(3).kind(), v1::OPERATOR);
  EXPECT_GE(result.manifest.atoms(3).peak_activation_bytes(), 2u * 4 * 4);
}

TEST(Configuration, PaddingAsTextStillTellsTheBackend) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    return torch.conv2d(x, self.w, None, [1, 1], "same")
)",
                                   {"float32[1,8,16,16]"}, [](torch::jit::Module& module) {
                                     module.register_buffer("w", torch::randn({8, 8, 3, 3}));
                                   });
  EXPECT_EQ(result.manifest.atoms_size(), 1);
  EXPECT_EQ(result.manifest.atoms(0).macs(), 8u * 16 * 16 * 72);
  EXPECT_FALSE(result.manifest.atoms(0).operators(0).backend_one_thread().empty());
}

}  // namespace
}  // namespace adamec::testing
