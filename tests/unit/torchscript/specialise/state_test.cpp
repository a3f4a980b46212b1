// What models keep from one run to the next. split_source() itself compares five runs on the same
// input; run_on_others() compares runs on changing ones.
#include <gtest/gtest.h>

#include <map>

#include "adamec/base/error.h"
#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/run/execute.h"
#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

using Fill = std::function<void(torch::jit::Module&)>;

const Fill kMemory = [](torch::jit::Module& module) {
  module.register_buffer("memory", torch::zeros({3}));
};

// Runs the atoms and the model eight times, side by side, on inputs that change every time.
std::string run_on_others(const torchscript::SplitResult& result, torch::jit::Module module,
                          const std::vector<std::string>& inputs) {
  std::map<std::string, std::string_view> records;
  for (const auto& record : result.records) records[record.name] = record.bytes;
  bool inside = false;
  for (const auto& atom : result.manifest.atoms()) inside |= atom.kind() == v1::STATEFUL;
  torchscript::AtomExecutor executor(
      result.manifest, [&](const std::string& name) { return records.at(name); }, inside);
  const at::NoGradGuard no_grad;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto arguments =
        torchscript::example_arguments(module, "forward", inputs, "", /*seed=*/100 + seed);
    executor.run(arguments);
    const auto difference = executor.difference(module.get_method("forward")(arguments));
    if (!difference.empty()) return fmt::format("run {}: {}", seed, difference);
  }
  return "";
}

// Splits and runs on other inputs.
torchscript::SplitResult split_stateful(const std::string& source,
                                        const std::vector<std::string>& inputs, const Fill& fill) {
  const auto result = split_source(source, inputs, fill);
  torch::jit::Module module("Model");
  fill(module);
  module.define(source);
  EXPECT_EQ(run_on_others(result, module, inputs), "");
  return result;
}

std::map<std::string, const v1::Tensor*> states(const torchscript::SplitResult& result) {
  std::map<std::string, const v1::Tensor*> states;
  for (const auto& tensor : result.manifest.tensors()) {
    if (tensor.role() == v1::STATE) states[tensor.id()] = &tensor;
  }
  return states;
}

int stateless_atoms(const torchscript::SplitResult& result) {
  int count = 0;
  for (const auto& atom : result.manifest.atoms()) count += atom.stateful() ? 0 : 1;
  return count;
}

TEST(State, ThatIsAssignedIsATensorLikeAnyOther) {
  const auto result = split_stateful(R"(
def forward(self, x: Tensor):
    y = torch.relu(x)
    self.memory = torch.tanh(self.memory + y)
    return torch.neg(self.memory * 2)
)",
                                     {"float32[3]"}, kMemory);
  EXPECT_EQ(operators(result), "aten::relu aten::add aten::tanh aten::mul aten::neg");
  EXPECT_TRUE(result.warnings.empty());
  const auto found = states(result);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.begin()->first, "s:memory");
  EXPECT_EQ(found.begin()->second->next(), "tanh:0");
  // Only what reads or makes the state must stay together.
  EXPECT_TRUE(result.manifest.atoms(1).stateful());
  EXPECT_TRUE(result.manifest.atoms(2).stateful());
  EXPECT_EQ(stateless_atoms(result), 3);
}

TEST(State, ThatIsWrittenInPlace) {
  const auto added = split_stateful(R"(
def forward(self, x: Tensor):
    self.memory.add_(x)
    return self.memory * 2
)",
                                    {"float32[3]"}, kMemory);
  EXPECT_EQ(states(added).size(), 1u);
  EXPECT_EQ(operators(added), "aten::clone aten::add aten::mul");
  const auto through_a_view = split_stateful(R"(
def forward(self, x: Tensor):
    before = self.memory + 0
    self.memory[0] = x[0]
    self.memory.mul_(2.0)
    return self.memory * x, before
)",
                                             {"float32[3]"}, kMemory);
  EXPECT_EQ(states(through_a_view).size(), 1u);
  // Nothing of it depends on the input: it is state all the same.
  const auto counted = split_stateful(R"(
def forward(self, x: Tensor):
    self.memory[1] = 1.0
    self.memory.mul_(2.0)
    return self.memory * x
)",
                                      {"float32[3]"}, kMemory);
  EXPECT_EQ(states(counted).size(), 1u);
}

TEST(State, NumbersThatCountRuns) {
  const auto result =
      split_stateful(R"(
def forward(self, x: Tensor):
    self.runs += 1
    self.scale = self.scale * 0.5
    if self.runs > 2:
        y = torch.relu(x)
    else:
        y = torch.tanh(x)
    self.odd = not self.odd
    if self.odd:
        y = y + self.runs
    return y * self.scale
)",
                     {"float32[3]"}, [](torch::jit::Module& module) {
                       module.register_attribute("runs", c10::IntType::get(), 0);
                       module.register_attribute("scale", c10::FloatType::get(), 1.0);
                       module.register_attribute("odd", c10::BoolType::get(), false);
                     });
  EXPECT_EQ(states(result).size(), 3u);
  EXPECT_TRUE(result.warnings.empty());
}

TEST(State, ThatIsNoneBeforeTheFirstRun) {
  const auto result = split_stateful(
      R"(
def forward(self, x: Tensor):
    h = self.hidden
    if h is not None:
        y = torch.tanh(x + h)
    else:
        y = torch.tanh(x)
    assert y.size(0) == 3
    self.hidden = y
    return torch.relu(y)
)",
      {"float32[3]"}, [](torch::jit::Module& module) {
        module.register_attribute("hidden", c10::OptionalType::create(c10::TensorType::get()),
                                  c10::IValue());
      });
  EXPECT_TRUE(result.warnings.empty()) << result.warnings.front();
  EXPECT_EQ(states(result).size(), 2u);  // whether it is there, and what it is
  EXPECT_EQ(operators(result), "prim::If aten::relu");
}

TEST(State, PairsAndLists) {
  const auto pair = c10::TupleType::create({c10::TensorType::get(), c10::TensorType::get()});
  const auto result = split_stateful(
      R"(
def forward(self, x: Tensor):
    h, c = self.cell
    h = torch.tanh(x + h)
    c = c * 0.5 + h
    self.cell = (h, c)
    self.ring[self.at] = x
    self.at = (self.at + 1) % 3
    return h, c, torch.stack(self.ring)
)",
      {"float32[3]"}, [&](torch::jit::Module& module) {
        module.register_attribute(
            "cell", pair, c10::ivalue::Tuple::create({torch::zeros({3}), torch::zeros({3})}));
        module.register_attribute("at", c10::IntType::get(), 0);
        c10::List<at::Tensor> ring;
        for (int i = 0; i < 3; ++i) ring.push_back(torch::zeros({3}));
        module.register_attribute("ring", c10::ListType::ofTensors(), ring);
      });
  // Where in the ring is data: that list cannot be taken apart.
  EXPECT_LE(result.manifest.atoms_size(), 6);
}

TEST(State, AListWithKnownPlaces) {
  const auto result =
      split_stateful(R"(
def forward(self, x: Tensor):
    delayed = self.line.pop(0)
    self.line.append(torch.relu(x))
    return x + delayed
)",
                     {"float32[3]"}, [](torch::jit::Module& module) {
                       c10::List<at::Tensor> line;
                       for (int i = 0; i < 3; ++i) line.push_back(torch::zeros({3}));
                       module.register_attribute("line", c10::ListType::ofTensors(), line);
                     });
  EXPECT_EQ(operators(result), "aten::relu aten::add");
  EXPECT_EQ(states(result).size(), 3u);
}

TEST(State, ThatGrowsFromRunToRun) {
  const auto result = split_stateful(R"(
def forward(self, x: Tensor):
    self.memory = torch.cat([self.memory, x])
    n = self.memory.size(0)
    return torch.softmax(self.memory, 0).sum() * n, torch.relu(x)
)",
                                     {"float32[3]"}, kMemory);
  EXPECT_EQ(states(result).size(), 1u);
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_GE(result.manifest.atoms_size(), 4);
}

TEST(State, IsAssignedInABranchOnData) {
  const auto result = split_stateful(R"(
def forward(self, x: Tensor):
    y = torch.relu(x)
    if bool(x.sum() > 0.0):
        self.memory = self.memory + y
        if bool(x[0] > 0.0):
            self.memory = self.memory * 0.5
    else:
        self.runs += 1
    return self.memory * self.runs
)",
                                     {"float32[3]"}, [](torch::jit::Module& module) {
                                       kMemory(module);
                                       module.register_attribute("runs", c10::IntType::get(), 1);
                                     });
  EXPECT_TRUE(result.warnings.empty()) << result.warnings.front();
  EXPECT_EQ(states(result).size(), 2u);
}

TEST(State, IsWrittenToInABranchOnData) {
  const auto result = split_stateful(R"(
def forward(self, x: Tensor):
    if bool(x.sum() > 0.0):
        self.memory.add_(x)
    return self.memory * 2
)",
                                     {"float32[3]"}, kMemory);
  EXPECT_EQ(states(result).size(), 1u);
}

TEST(State, ShapesThatAreTakenForGrantedAreChecked) {
  // Longer from the 101st run on: nothing tells before.
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    self.runs += 1
    if self.runs > 100:
        self.memory = torch.cat([x, x])
    if self.memory.size(0) == 3:
        return torch.relu(x)
    return torch.tanh(x)
)",
                                   {"float32[3]"}, [](torch::jit::Module& module) {
                                     kMemory(module);
                                     module.register_attribute("runs", c10::IntType::get(), 0);
                                   });
  std::map<std::string, std::string_view> records;
  for (const auto& record : result.records) records[record.name] = record.bytes;
  torchscript::AtomExecutor executor(
      result.manifest, [&](const std::string& name) { return records.at(name); }, false);
  std::string message;
  for (int run = 0; run < 200 && message.empty(); ++run) {
    try {
      executor.run({torch::ones({3})});
      EXPECT_LE(run, 100);
    } catch (const Error& error) {
      message = error.what();
    }
  }
  EXPECT_NE(message.find("for which the model was cut"), std::string::npos) << message;
}

TEST(State, OfSeveralLayers) {
  const auto result = split_stateful(R"(
def forward(self, x: Tensor):
    self.a = torch.tanh(self.a + x)
    y = torch.relu(self.a)
    self.b = torch.tanh(self.b + y)
    return torch.relu(self.b)
)",
                                     {"float32[3]"}, [](torch::jit::Module& module) {
                                       module.register_buffer("a", torch::zeros({3}));
                                       module.register_buffer("b", torch::zeros({3}));
                                     });
  EXPECT_EQ(states(result).size(), 2u);
  EXPECT_EQ(stateless_atoms(result), 2);
}

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

TEST(State, OtherArgumentsAreRefused) {
  const auto result = split_source("def forward(self, x: Tensor, n: int):\n    return x * n\n",
                                   {"float32[2]", "int=3"});
  std::map<std::string, std::string_view> records;
  for (const auto& record : result.records) records[record.name] = record.bytes;
  torchscript::AtomExecutor executor(
      result.manifest, [&](const std::string& name) { return records.at(name); }, false);
  const auto message = [&](std::vector<c10::IValue> arguments) -> std::string {
    try {
      executor.run(arguments);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({torch::ones({2}), 3}), "");
  EXPECT_EQ(message({torch::ones({4}), 3}),
            "input 'x' is a Float[4], the archive was made for float32[2]");
  EXPECT_EQ(message({torch::ones({2}), 4}),
            "input 'n': differs from the value the archive was made with");
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
