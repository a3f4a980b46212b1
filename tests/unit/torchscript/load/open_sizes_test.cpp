// Sizes that stay open. Splitting verifies the atoms on three other sizes.
#include "adamec/torchscript/load/open_sizes.h"

#include <gtest/gtest.h>

#include <map>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/execute.h"
#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

torchscript::SplitResult split_dynamic(const std::string& source,
                                       const std::vector<std::string>& inputs,
                                       const std::string& dynamic) {
  torch::jit::Module module("Model");
  module.register_parameter("w", torch::ones({4, 4}), false);
  module.define(source);
  const TemporaryFolder folder;
  module.save(folder.path("model.pt"));
  torchscript::SplitOptions options;
  options.model = folder.path("model.pt");
  options.inputs = inputs;
  options.dynamic = dynamic;
  return torchscript::split_model(options);
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string run(const torchscript::SplitResult& result, const std::vector<c10::IValue>& arguments) {
  std::map<std::string, std::string_view> records;
  for (const auto& record : result.records) records[record.name] = record.bytes;
  torchscript::AtomExecutor executor(
      result.manifest, [&](const std::string& name) { return records.at(name); }, false);
  return error_of([&] { executor.run(arguments); });
}

TEST(OpenSizes, TheFirstDimensionOfEveryTensor) {
  const auto result = split_dynamic(R"(
def forward(self, x: Tensor):
    n = x.size(0)
    assert x.size(1) == 4, "four columns"
    assert x.dim() == 2
    y = torch.matmul(x, self.w).view([n, 2, 2])
    if y.size(-1) == 2:
        y = torch.relu(y)
    return y.reshape([n, -1]) + torch.zeros_like(x) * float(n)
)",
                                    {"float32[1,4]"}, "batch");
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_EQ(result.manifest.tensors(0).open_sizes(0).name(), "batch");
  for (const auto& atom : result.manifest.atoms()) {
    EXPECT_NE(atom.kind(), v1::CONTROL_FLOW) << atom.id();
  }
  EXPECT_EQ(run(result, {torch::ones({17, 4})}), "");
  EXPECT_EQ(run(result, {torch::ones({1, 5})}),
            "input 'x' is a Float[1,5], the archive was made for float32[1,4]");
}

TEST(OpenSizes, WhatDependsOnThemStaysABranch) {
  const auto result = split_dynamic(R"(
def forward(self, x: Tensor):
    if x.size(0) > 2:
        y = torch.relu(x)
    else:
        y = torch.tanh(x)
    parts: List[Tensor] = []
    for i in range(x.size(1)):
        parts.append(y[:, i])
    return torch.stack(parts)
)",
                                    {"float32[2,3]"}, "batch");
  EXPECT_EQ(result.manifest.atoms(0).kind(), v1::CONTROL_FLOW);
  EXPECT_GE(result.manifest.atoms_size(), 5);
}

TEST(OpenSizes, OfSeveralInputsAndNames) {
  const auto result =
      split_dynamic(R"(
def forward(self, x: Tensor, mask: Tensor):
    b, t = x.size(0), x.size(1)
    s = torch.matmul(x, x.transpose(1, 2)) + mask.view([b, 1, t])
    return torch.softmax(s, -1).sum(-1), torch.arange(t)
)",
                    {"float32[2,3,4]", "float32[2,3]"}, "x:0=b,mask:0=b,x:1=t,mask:1=t");
  EXPECT_EQ(run(result, {torch::ones({5, 8, 4}), torch::zeros({5, 8})}), "");
  EXPECT_EQ(run(result, {torch::ones({5, 8, 4}), torch::zeros({5, 9})}),
            "input 'mask' is a Float[5,9], the archive was made for float32[2,3]");
}

TEST(OpenSizes, ThatTheModelDoesNotAllow) {
  const std::string baked = R"(
def forward(self, x: Tensor):
    return torch.matmul(x.view([1, 4]), self.w)
)";
  EXPECT_NE(error_of([&] {
              split_dynamic(baked, {"float32[1,4]"}, "batch");
            }).find("does not run with other sizes"),
            std::string::npos);
  const std::string stateful = R"(
def forward(self, x: Tensor):
    self.w = self.w * 0.5
    return self.w.sum() + x
)";
  EXPECT_NE(error_of([&] { split_dynamic(stateful, {"float32[1,4]"}, "batch"); }).find("state"),
            std::string::npos);
}

TEST(OpenSizes, TextsThatCannotBeRead) {
  const std::string source = "def forward(self, x: Tensor, n: int):\n    return x * n\n";
  const auto message = [&](const std::string& dynamic) {
    return error_of([&] { split_dynamic(source, {"float32[2,3]", "int=2"}, dynamic); });
  };
  EXPECT_EQ(message("x:0"), "");
  for (const char* bad :
       {"x", "x:", ":0", "x:-1", "x:0=", "x:0=a=b", "x:0,", "x:99999999999999999999"}) {
    EXPECT_NE(message(bad).find("expected 'batch', or argument:dimension"), std::string::npos)
        << bad;
  }
  EXPECT_NE(message("y:0").find("no tensor argument 'y'"), std::string::npos);
  EXPECT_NE(message("n:0").find("no tensor argument 'n'"), std::string::npos);
  EXPECT_NE(message("x:2").find("'x' has 2 dimensions"), std::string::npos);
  EXPECT_NE(message("x:0,x:0").find("named twice"), std::string::npos);
  EXPECT_NE(message("x:0=a,x:1=a").find("give them different names"), std::string::npos);
}

}  // namespace
}  // namespace adamec::testing
