// What happens around the cut itself: further attempts, and what LibTorch is left like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "adamec/measure/synthesis/synthesis.h"
#include "adamec/torchscript/split/operator_atom.h"
#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

// LibTorch's global settings that its users may have changed.
struct GlobalSettings {
  bool optimize = torch::jit::getGraphExecutorOptimize();
  at::Tensor generator = at::globalContext().defaultGenerator(at::kCPU).get_state();

  bool operator==(const GlobalSettings& other) const {
    return optimize == other.optimize && generator.equal(other.generator);
  }
};

TEST(Split, LeavesGlobalSettingsAsTheyWere) {
  for (const bool optimize : {true, false}) {
    torch::jit::setGraphExecutorOptimize(optimize);
    at::manual_seed(5);
    const GlobalSettings before;
    split_source("def forward(self, x):\n    return x + torch.rand([2])\n", {"float32[2]"});
    EXPECT_EQ(GlobalSettings(), before);
    EXPECT_THROW(
        split_source("def forward(self, x):\n    return x + torch.rand([3])\n", {"float32[2]"}),
        Error);
    EXPECT_EQ(GlobalSettings(), before);
  }
  torch::jit::setGraphExecutorOptimize(true);
}

TEST(OperatorAtom, LeavesGlobalSettingsAsTheyWere) {
  at::manual_seed(5);
  const GlobalSettings before;
  static_cast<void>(torchscript::operator_atom(
      measure::parse_operator("aten::rand_like(self=float32[2])"), "r", 7));
  EXPECT_EQ(GlobalSettings(), before);
  v1::Operator op = measure::parse_operator("aten::matmul(self=float32[2,3],other=float32[2,3])");
  EXPECT_THROW(static_cast<void>(torchscript::operator_atom(op, "m", 7)), Error);
  EXPECT_EQ(GlobalSettings(), before);
}

// Two views of one memory are two tensors: what LibTorch calls a deep copy takes them for one.
TEST(Split, ResultsOfModelsWithStateMayShareMemory) {
  const auto result =
      split_source(R"(
def forward(self, x):
    self.seen = self.seen + x
    parts = self.seen.chunk(2)
    return parts[0], parts[1]
)",
                   {"float32[4]"}, [](torch::jit::Module& module) {
                     module.register_attribute("seen", c10::TensorType::get(), torch::zeros({4}));
                   });
  EXPECT_TRUE(result.warnings.empty()) << result.warnings.front();
  EXPECT_GE(result.manifest.atoms_size(), 2);
}

TEST(Split, BuffersOfModelsKeptWholeMayShareMemory) {
  const auto result = split_source(R"(
def forward(self, x):
    c = torch.zeros([3])
    if bool(x.sum() > 0):
        c.add_(2)
    return torch.cat([self.a, self.b + c + x])
)",
                                   {"float32[3]"}, [](torch::jit::Module& module) {
                                     const auto memory = torch::arange(5, torch::kFloat);
                                     module.register_buffer("a", memory.slice(0, 0, 2));
                                     module.register_buffer("b", memory.slice(0, 2, 5));
                                   });
  EXPECT_EQ(result.warnings.size(), 1U);
  EXPECT_EQ(result.manifest.tensors(1).type().shape(0), 5);
}

}  // namespace
}  // namespace adamec::testing
