// Attributes that the model assigns, but that are no state, and state that cannot be taken out of
// it.
#include <gtest/gtest.h>

#include "tests/unit/torchscript/specialise/stateful_source.h"

namespace adamec::testing {
namespace {

TEST(State, ThatCannotBeTakenOutKeepsTheModelWhole) {
  const auto in_a_loop = split_stateful(R"(
def forward(self, x: Tensor):
    i = 0
    while bool(x.sum() * 0 + i < 3):
        self.memory = self.memory + x
        i += 1
    return self.memory * 2
)",
                                        {"float32[3]"}, kMemory);
  ASSERT_EQ(in_a_loop.manifest.atoms_size(), 1);
  EXPECT_EQ(in_a_loop.manifest.atoms(0).kind(), v1::STATEFUL);
  EXPECT_EQ(in_a_loop.warnings.size(), 1u);
  const auto shared = split_stateful(R"(
def forward(self, x: Tensor):
    y = self.alias * 2
    self.memory.add_(x)
    return y + self.alias
)",
                                     {"float32[3]"}, [](torch::jit::Module& module) {
                                       const auto memory = torch::zeros({3});
                                       module.register_buffer("memory", memory);
                                       module.register_buffer("alias", memory);
                                     });
  EXPECT_EQ(shared.manifest.atoms(0).kind(), v1::STATEFUL);
  const auto text =
      split_stateful(R"(
def forward(self, x: Tensor):
    y = x * len(self.log)
    self.log = self.log + "."
    return y
)",
                     {"float32[3]"}, [](torch::jit::Module& module) {
                       module.register_attribute("log", c10::StringType::get(), std::string(""));
                     });
  EXPECT_EQ(text.manifest.atoms(0).kind(), v1::STATEFUL);
}

// What every run assigns anew, but always the same, is no state.
TEST(State, IsNotWhatNeverChanges) {
  const auto result =
      split_stateful(R"(
def forward(self, x):
  self.anchors = [a.to(x.dtype) for a in self.anchors]
  self.steps = 3
  return torch.relu(x + self.anchors[0] * self.steps)
)",
                     {"float32[3]"}, [](torch::jit::Module& module) {
                       c10::List<at::Tensor> anchors;
                       anchors.push_back(torch::ones({3}));
                       module.register_attribute("anchors", c10::ListType::ofTensors(), anchors);
                       module.register_attribute("steps", c10::IntType::get(), 3);
                     });
  EXPECT_TRUE(states(result).empty());
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_EQ(operators(result), "aten::add aten::relu");
}

// Parts of a type that state cannot have are made in the first run, and stay.
const char* const kMadeOnce = R"(
def twice(self, x):
  return x * 2

def forward(self, x):
  if self.kind is None:
    self.kind = "fast"
  kind = self.kind
  assert kind is not None
  y = torch.relu(x)
  if kind == "fast":
    y = self.twice(y)
  return y + 1
)";

TEST(State, PartsMadeInTheFirstRunAreNone) {
  const auto fill = [](torch::jit::Module& module) {
    module.register_attribute("kind", c10::OptionalType::create(c10::StringType::get()),
                              c10::IValue());
  };
  const auto result = split_stateful(kMadeOnce, {"float32[3]"}, fill);
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_TRUE(states(result).empty());
  EXPECT_EQ(result.manifest.atoms_size(), 3);
}

// A part that is another in every run stays inside one atom.
TEST(State, PartsThatChangeInEveryRunKeepTheModelWhole) {
  const auto result =
      split_stateful(R"(
def forward(self, x):
  if self.kind == "even":
    self.kind = "odd"
    return x + 1
  self.kind = "even"
  return x * 2
)",
                     {"float32[3]"}, [](torch::jit::Module& module) {
                       module.register_attribute("kind", c10::StringType::get(), "even");
                     });
  EXPECT_EQ(result.manifest.atoms_size(), 1);
  EXPECT_EQ(result.manifest.atoms(0).kind(), v1::STATEFUL);
}

}  // namespace
}  // namespace adamec::testing
