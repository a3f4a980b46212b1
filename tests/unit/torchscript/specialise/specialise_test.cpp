// Partial evaluation and cutting on small programs. Every split_source() call also verifies that
// the atoms give bit-identical results.
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/record.h"
#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

TEST(Specialise, FoldsBranchesAndLoopsThatDependOnShapesOnly) {
  const auto result = split_source(R"(
def forward(self, x: Tensor, n: int):
    assert x.size(0) < 100, "too large"
    parts: List[Tensor] = []
    for i in range(n):
        if i % 2 == 0:
            parts.append(torch.relu(x))
        else:
            parts.append(torch.tanh(x))
    y = torch.cat(parts, 1)
    assert y.dim() == 2
    return y
)",
                                   {"float32[2,3]", "int=3"});
  EXPECT_EQ(operators(result), "aten::relu aten::tanh aten::relu aten::cat");
  EXPECT_TRUE(result.warnings.empty());
}

TEST(Specialise, KeepsABranchOnDataAsOneAtom) {
  const std::string source = R"(
def forward(self, x: Tensor):
    y = torch.relu(x)
    if bool(y.sum() > 1000.0):
        z = torch.tanh(y)
    else:
        z = torch.sigmoid(y) + 1
    return torch.neg(z)
)";
  const auto result = split_source(source, {"float32[2,3]"});
  // aten::Bool is scalar code: it travels with the branch, only tensors cross.
  EXPECT_EQ(operators(result), "aten::relu aten::sum aten::gt prim::If aten::neg");
  EXPECT_EQ(result.manifest.atoms(3).kind(), v1::CONTROL_FLOW);
}

TEST(Specialise, NeverFoldsWhatReadsTheInput) {
  // The trip count is data: 3 for these inputs, but not a constant of the model.
  const auto result = split_source(R"(
def forward(self, x: Tensor, count: Tensor):
    n = int(count.item())
    for i in range(n):
        x = torch.relu(x) + i
    return x
)",
                                   {"float32[4]", "int64[]<9"});
  ASSERT_EQ(result.manifest.atoms_size(), 1);
  EXPECT_EQ(result.manifest.atoms(0).kind(), v1::CONTROL_FLOW);
  EXPECT_EQ(result.manifest.atoms(0).inputs_size(), 2);
}

TEST(Specialise, ShapesThatComeFromDataAreData) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    picked = torch.nonzero(x)
    n = picked.size(0)
    return torch.zeros([n]) + x.sum() + float(n)
)",
                                   {"float32[6]"});
  // n is computed from the atom nonzero's result, in the atoms that need it.
  EXPECT_EQ(result.manifest.atoms(0).operators(0).name(), "aten::nonzero");
  bool read_again = false;
  for (const auto& atom : result.manifest.atoms()) {
    for (const auto& input : atom.inputs()) read_again = read_again || input == "nonzero:0";
  }
  EXPECT_TRUE(read_again);
}

TEST(Specialise, ListsChangedByALoopOverData) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    parts: List[Tensor] = [x]
    i = 0
    while bool(x.sum() * 0 + i < 3):
        parts.append(x + i)
        i += 1
    parts.append(torch.relu(x))
    return torch.cat(parts)
)",
                                   {"float32[3]"});
  EXPECT_GE(result.manifest.atoms_size(), 1);
}

// The branch that is not taken for the example may be taken for other inputs: y is not known.
TEST(Specialise, WhatABranchOnDataMayWriteToIsNotFolded) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    y = torch.zeros([3])
    if bool(x.sum() > 1000.0):
        y.add_(1)
    return x + y
)",
                                   {"float32[3]"});
  ASSERT_EQ(result.manifest.atoms_size(), 1);
  auto module = torchscript::load_record(result.records.at(0).bytes);
  EXPECT_TRUE(
      module.forward({torch::full({3}, 1000.0)}).toTensor().equal(torch::full({3}, 1001.0)));
}

TEST(Specialise, ALoopOverDataMayWriteToWhatItMakes) {
  const std::string source = R"(
def forward(self, x: Tensor, count: Tensor):
    y = torch.relu(x)
    z = torch.cat([y, torch.tanh(y)])
    results: List[Tensor] = []
    for i in range(int(count.item()) + 1):
        canvas = torch.zeros([4, 4])
        canvas[1:3, i:] = z[i]
        results.append(canvas)
    return torch.stack(results)
)";
  const auto result = split_source(source, {"float32[8]", "int64[]<3"});
  EXPECT_EQ(operators(result),
            "aten::relu aten::tanh aten::cat prim::ListConstruct+prim::Loop+aten::stack");

  // Memory from outside of the loop, and all that may be a view of it, stays with the loop.
  const std::string outside = "canvas = torch.zeros([4, 4])";
  std::string other = source;
  other.replace(other.find(outside), outside.size(), "canvas = z.view([4, 4])");
  EXPECT_EQ(split_source(other, {"float32[8]", "int64[]<3"}).manifest.atoms_size(), 1);
}

TEST(Specialise, BranchesOnDataMayHoldValuesThatAreNeverGiven) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    keep: Optional[bool] = False
    y = torch.relu(x[x > 0])
    if y.size(0) > 2:
        assert keep is not None
        z = y.sum([0], keep)
    else:
        z = torch.tanh(y)
    return torch.neg(z)
)",
                                   {"float32[64]"});
  EXPECT_EQ(operators(result), "aten::gt aten::index aten::relu prim::If aten::neg");
}

TEST(Specialise, TakesNestedInputsAndGivesNestedOutputs) {
  const auto result = split_source(R"(
def forward(self, x: Tensor, flag: bool, text: str, scale: float, missing: Optional[Tensor]):
    if missing is not None:
        x = x + missing
    out: Dict[str, Tensor] = {}
    if flag:
        out["a"] = torch.relu(x) * scale
    out[text] = x
    return out, [x, torch.neg(x)], (x.size(0), missing)
)",
                                   {"float32[2]", "bool=true", "str=key", "float=0.5", "none"});
  const v1::Value& output = result.manifest.output();
  ASSERT_TRUE(output.has_tuple());
  ASSERT_EQ(output.tuple().items_size(), 3);
  EXPECT_EQ(output.tuple().items(0).dict().keys(1), "key");
  EXPECT_EQ(output.tuple().items(0).dict().items(1).tensor(), "x");  // passed through
  EXPECT_EQ(output.tuple().items(2).tuple().items(0).int_value(), 2);
  EXPECT_TRUE(output.tuple().items(2).tuple().items(1).none());
  EXPECT_EQ(result.manifest.inputs(3).value().float_value(), 0.5);
}

TEST(Specialise, OutputsThatDoNotDependOnTheInputs) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    return torch.relu(x), torch.arange(5) * 2, self.w
)",
                                   {"float32[2]"}, [](torch::jit::Module& module) {
                                     module.register_buffer("w", torch::ones({3}));
                                   });
  EXPECT_TRUE(result.manifest.output().tuple().items(1).has_constant());
  EXPECT_EQ(result.manifest.output().tuple().items(2).constant(), "w:w");
  EXPECT_EQ(operators(result), "aten::relu");
}

TEST(Specialise, GivesNumbersThatDependOnData) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    y = torch.relu(x)
    count = int((y > 0).sum())
    return y, count, (float(y.mean()), bool(y.any()), x.size(0))
)",
                                   {"float32[64]"});
  EXPECT_TRUE(result.warnings.empty());
  const auto& parts = result.manifest.output().tuple();
  ASSERT_TRUE(parts.items(1).has_number());
  const auto dtype_of = [&](const v1::Value& value) {
    for (const v1::Tensor& tensor : result.manifest.tensors()) {
      if (tensor.id() == value.number()) return tensor.type().dtype();
    }
    return v1::DATA_TYPE_UNSPECIFIED;
  };
  EXPECT_EQ(dtype_of(parts.items(1)), v1::INT64);
  const auto& more = parts.items(2).tuple();
  EXPECT_EQ(dtype_of(more.items(0)), v1::FLOAT64);
  EXPECT_EQ(dtype_of(more.items(1)), v1::BOOL);
  EXPECT_EQ(more.items(2).int_value(), 64);
  EXPECT_GE(result.manifest.atoms_size(), 5);

  const auto twice = split_source(R"(
def forward(self, x: Tensor):
    count = int((x > 0).sum())
    return count, count
)",
                                  {"float32[8]"});
  EXPECT_TRUE(twice.manifest.output().tuple().items(1).has_number());

  // In a model that is kept whole, too: lists of numbers have no length that is known.
  const auto whole = split_source(R"(
def forward(self, x: Tensor):
    numbers: List[int] = (x * 10).long().tolist()
    return numbers, x.sum().item()
)",
                                  {"float32[3]"});
  ASSERT_EQ(whole.manifest.atoms_size(), 1);
  EXPECT_EQ(whole.manifest.output().tuple().items(0).list().items_size(), 3);
  EXPECT_TRUE(whole.manifest.output().tuple().items(1).has_number());
}

TEST(Errors, TheModelRaises) {
  try {
    split_source(R"(
def forward(self, x: Tensor):
    assert x.size(0) == 3, "expected three rows"
    return torch.relu(x)
)",
                 {"float32[2,2]"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("expected three rows"), std::string::npos)
        << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(Errors, AnOperatorFails) {
  try {
    split_source("def forward(self, x: Tensor):\n    return torch.matmul(x, torch.ones([7, 2]))\n",
                 {"float32[2,3]"});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.pt: "), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
  }
}

// How many parts there are does not depend on data, though their sizes do.
TEST(Specialise, ListsOfKnownLengthAreTakenApart) {
  const auto result = split_source(R"(
def forward(self, x):
  kept = x[x > 0]
  parts = torch.split_with_sizes(kept, [kept.size(0) - 1, 1])
  total = torch.zeros([1])
  for part in parts:
    total = total + part.sum()
  return total
)",
                                   {"float32[16]"});
  EXPECT_NE(operators(result).find("aten::split_with_sizes"), std::string::npos);
  EXPECT_EQ(operators(result).find("prim::Loop"), std::string::npos);
  EXPECT_GE(result.manifest.atoms_size(), 6);
}

// LibTorch 2.x multiplies in another order where weights require gradients, as they do in models.
TEST(Specialise, MatrixProductsRunAsInTheModel) {
  const auto result = split_source(R"(
def forward(self, x):
  q = self.weight.split([32, 64])[0]
  return torch.matmul(x.transpose(0, 1), q.t()) + 1
)",
                                   {"float32[2,5,32]"}, [](torch::jit::Module& module) {
                                     torch::manual_seed(1);
                                     module.register_parameter("weight", torch::randn({96, 32}),
                                                               /*is_buffer=*/false);
                                   });
  EXPECT_GE(result.manifest.atoms_size(), 3);
}

}  // namespace
}  // namespace adamec::testing
