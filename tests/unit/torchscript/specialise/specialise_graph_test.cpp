// specialise() on hand-written programs: what is left in the residual graph.
#include <ATen/core/op_registration/op_registration.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "adamec/torchscript/specialise/specialise.h"
#include "tests/unit/torchscript/ir_graph.h"

namespace adamec::testing {
namespace {

using torchscript::Residual;
using torchscript::specialise;

// Runs the graph on inputs, then states, then its weights.
torch::jit::Stack run(const Residual& residual, std::vector<at::Tensor> inputs) {
  torch::jit::Stack stack(inputs.begin(), inputs.end());
  for (const Residual::Weight& weight : residual.weights) stack.push_back(weight.content);
  torch::jit::GraphExecutor(residual.graph, "test").run(stack);
  return stack;
}

bool has_guard(const Residual& residual, const std::string& text) {
  return std::any_of(residual.guards.begin(), residual.guards.end(),
                     [&](const auto& guard) { return guard.find(text) != std::string::npos; });
}

TEST(SpecialiseGraph, BranchesOnShapesAreFolded) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor):
  %zero : int = prim::Constant[value=0]()
  %two : int = prim::Constant[value=2]()
  %n : int = aten::size(%x, %zero)
  %same : bool = aten::eq(%n, %two)
  %y : Tensor = prim::If(%same)
    block0():
      %a : Tensor = aten::relu(%x)
      -> (%a)
    block1():
      %b : Tensor = aten::tanh(%x)
      -> (%b)
  return (%y))IR");
  EXPECT_EQ(kinds_of(*specialise(module, "forward", {torch::ones({2})}).graph), "aten::relu");
  EXPECT_EQ(kinds_of(*specialise(module, "forward", {torch::ones({3})}).graph), "aten::tanh");
}

TEST(SpecialiseGraph, LoopsWithKnownTripsAreUnrolled) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor, %trips : int):
  %yes : bool = prim::Constant[value=1]()
  %one : int = prim::Constant[value=1]()
  %y : Tensor = prim::Loop(%trips, %yes, %x)
    block0(%i : int, %c : Tensor):
      %d : Tensor = aten::add(%c, %i, %one)
      -> (%yes, %d)
  return (%y))IR");
  const Residual residual = specialise(module, "forward", {torch::zeros({2}), 3});
  EXPECT_EQ(kinds_of(*residual.graph), "aten::add aten::add aten::add");
  EXPECT_TRUE(run(residual, {torch::zeros({2})})[0].toTensor().equal(torch::full({2}, 3.0)));
}

TEST(SpecialiseGraph, BranchesOnDataAreKept) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor, %c : Tensor):
  %go : bool = aten::Bool(%c)
  %y : Tensor = prim::If(%go)
    block0():
      %a : Tensor = aten::relu(%x)
      -> (%a)
    block1():
      %b : Tensor = aten::neg(%x)
      -> (%b)
  return (%y))IR");
  const Residual residual = specialise(module, "forward", {torch::ones({2}), torch::tensor(true)});
  EXPECT_EQ(kinds_of(*residual.graph), "aten::Bool prim::If");
  // The branch that the example does not take is there as well.
  EXPECT_TRUE(run(residual, {torch::ones({2}), torch::tensor(false)})[0].toTensor().equal(
      torch::full({2}, -1.0)));
}

const char* const kAccumulate = R"IR(
graph(%self, %x : Tensor):
  %one : int = prim::Constant[value=1]()
  %m : Tensor = prim::GetAttr[name="memory"](%self)
  %sum : Tensor = aten::add(%m, %x, %one)
  prim::SetAttr[name="memory"](%self, %sum)
  return (%sum))IR";

TEST(SpecialiseGraph, WhatIsAssignedToAnAttributeIsState) {
  const auto module = module_of(kAccumulate, [](torch::jit::Module& self) {
    self.register_buffer("memory", torch::full({2}, 5.0));
  });
  const Residual residual = specialise(module, "forward", {torch::ones({2})});
  ASSERT_EQ(residual.states.size(), 1u);
  EXPECT_EQ(residual.states[0].name, "memory");
  EXPECT_TRUE(residual.states[0].initial.equal(torch::full({2}, 5.0)));
  const auto results = run(residual, {torch::ones({2}), torch::full({2}, 7.0)});
  EXPECT_TRUE(results[0].toTensor().equal(torch::full({2}, 8.0)));
  EXPECT_TRUE(results.at(residual.states[0].next).toTensor().equal(torch::full({2}, 8.0)));
  // The model itself is as before.
  EXPECT_TRUE(module.attr("memory").toTensor().equal(torch::full({2}, 5.0)));
}

TEST(SpecialiseGraph, ShapesOfStateAreGuarded) {
  const auto module = module_of(kAccumulate, [](torch::jit::Module& self) {
    self.register_buffer("memory", torch::zeros({2}));
  });
  const Residual residual = specialise(module, "forward", {torch::ones({2})});
  EXPECT_TRUE(has_guard(residual, "state 'memory'"));
  try {
    run(residual, {torch::ones({1}), torch::zeros({3})});
    FAIL() << "accepted";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find(residual.guards[0] + " has another shape"),
              std::string::npos)
        << error.what();
  }
}

TEST(SpecialiseGraph, AssigningTheSameAgainIsNoState) {
  const auto module =
      module_of(R"IR(
graph(%self, %x : Tensor):
  %m : Tensor = prim::GetAttr[name="memory"](%self)
  prim::SetAttr[name="memory"](%self, %m)
  %y : Tensor = aten::mul(%x, %m)
  return (%y))IR",
                [](torch::jit::Module& self) { self.register_buffer("memory", torch::ones({2})); });
  const Residual residual = specialise(module, "forward", {torch::ones({2})});
  EXPECT_TRUE(residual.states.empty());
  ASSERT_EQ(residual.weights.size(), 1u);
  EXPECT_EQ(residual.weights[0].name, "memory");
}

// A list that holds tensors of the graph is known itself.
TEST(SpecialiseGraph, ContainersOfUnknownTensors) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor):
  %zero : int = prim::Constant[value=0]()
  %l : Tensor[] = prim::ListConstruct(%x)
  %a : Tensor = aten::relu(%x)
  %m : Tensor[] = aten::append(%l, %a)
  %n : int = aten::len(%l)
  %first : Tensor = aten::__getitem__(%l, %zero)
  %y : Tensor = aten::mul(%first, %n)
  %r : (Tensor, Tensor[], int) = prim::TupleConstruct(%y, %l, %n)
  return (%r))IR");
  const Residual residual = specialise(module, "forward", {torch::full({2}, 3.0)});
  EXPECT_EQ(kinds_of(*residual.graph), "aten::relu aten::mul");
  using Kind = torchscript::KnownValue::Kind;
  ASSERT_EQ(residual.output->kind, Kind::kTuple);
  EXPECT_EQ(residual.output->elements[1]->elements.size(), 2u);
  EXPECT_EQ(residual.output->elements[2]->kind, Kind::kStatic);
  EXPECT_EQ(residual.output->elements[2]->value.toInt(), 2);
  EXPECT_TRUE(run(residual, {torch::full({2}, 3.0)})[0].toTensor().equal(torch::full({2}, 6.0)));
}

// Rows differ among the examples and stay open; columns are the same, and checked.
TEST(SpecialiseGraph, OpenSizesStayInTheGraph) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor):
  %zero : int = prim::Constant[value=0]()
  %one : int = prim::Constant[value=1]()
  %rows : int = aten::size(%x, %zero)
  %columns : int = aten::size(%x, %one)
  %a : Tensor = aten::mul(%x, %rows)
  %b : Tensor = aten::add(%a, %columns, %one)
  return (%b))IR");
  const Residual closed = specialise(module, "forward", {torch::ones({2, 3})});
  EXPECT_EQ(kinds_of(*closed.graph), "aten::mul aten::add");
  const Residual residual =
      specialise(module, "forward", {torch::ones({2, 3})}, {{torch::ones({4, 3})}});
  EXPECT_NE(kinds_of(*residual.graph).find("aten::size"), std::string::npos);
  EXPECT_TRUE(has_guard(residual, "the argument of aten::size"));
  EXPECT_TRUE(run(residual, {torch::ones({5, 3})})[0].toTensor().equal(torch::full({5, 3}, 8.0)));
  EXPECT_ANY_THROW(run(residual, {torch::ones({5, 4})}));
}

// A result may be what the program was given: nothing is left to run.
TEST(SpecialiseGraph, WhatDoesNotDependOnInputsIsComputedNow) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor):
  %m : Tensor = prim::GetAttr[name="table"](%self)
  %t : Tensor = aten::relu(%m)
  %r : (Tensor, Tensor) = prim::TupleConstruct(%x, %t)
  return (%r))IR",
                                [](torch::jit::Module& self) {
                                  self.register_buffer("table", torch::tensor({-1.0, 2.0}));
                                });
  const Residual residual = specialise(module, "forward", {torch::ones({2})});
  EXPECT_EQ(kinds_of(*residual.graph), "");
  EXPECT_TRUE(residual.output->elements[1]->constant);
  EXPECT_TRUE(residual.weight_of(residual.output->elements[1]->residual)
                  .content.toTensor()
                  .equal(torch::tensor({0.0, 2.0})));
}

// The memory of list elements is the attribute's, too.
TEST(SpecialiseGraph, WritesToTensorsOfAListAreWritesToAttributes) {
  const auto module = module_of(
      R"IR(
graph(%self, %x : Tensor):
  %one : int = prim::Constant[value=1]()
  %m : Tensor = prim::GetAttr[name="memory"](%self)
  %l : Tensor[] = prim::ListConstruct(%m)
  aten::_foreach_add_(%l, %one)
  %y : Tensor = aten::add(%x, %m, %one)
  return (%y))IR",
      [](torch::jit::Module& self) { self.register_buffer("memory", torch::zeros({2})); });
  EXPECT_THROW((void)specialise(module, "forward", {torch::ones({2})}), torchscript::Unsupported);
  EXPECT_TRUE(module.attr("memory").toTensor().equal(torch::zeros({2})));
}

TEST(SpecialiseGraph, WritesToTensorsOfAListAreSeenByOthers) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor):
  %one : int = prim::Constant[value=1]()
  %n : int = prim::Constant[value=2000]()
  %none : NoneType = prim::Constant()
  %sizes : int[] = prim::ListConstruct(%n)
  %m : Tensor = aten::zeros(%sizes, %none, %none, %none, %none)
  %l : Tensor[] = prim::ListConstruct(%m)
  aten::_foreach_add_(%l, %one)
  %y : Tensor = aten::add(%x, %m, %one)
  return (%y))IR");
  const Residual residual = specialise(module, "forward", {torch::ones({2000})});
  EXPECT_TRUE(run(residual, {torch::ones({2000})})[0].toTensor().equal(torch::full({2000}, 2.0)));
}

// Custom operators whose results are not known beforehand, and that take nothing.
TEST(SpecialiseGraph, OperatorsWithoutInputs) {
  static const auto registry = c10::RegisterOperators(
      "adamec_graph_test::tick() -> Tensor", [] { return torch::full({2}, 4.0); },
      c10::RegisterOperators::options().aliasAnalysis(c10::AliasAnalysisKind::CONSERVATIVE));
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor):
  %one : int = prim::Constant[value=1]()
  %t : Tensor = adamec_graph_test::tick()
  %y : Tensor = aten::add(%x, %t, %one)
  return (%y))IR");
  const Residual residual = specialise(module, "forward", {torch::ones({2})});
  EXPECT_EQ(kinds_of(*residual.graph), "adamec_graph_test::tick aten::add");
}

TEST(SpecialiseGraph, WhatCannotBeSpecialisedIsSaidWithItsConstruct) {
  const auto module = module_of(R"IR(
graph(%self, %x : Tensor):
  %zero : int = prim::Constant[value=0]()
  %nine : int = prim::Constant[value=9]()
  %l : Tensor[] = prim::ListConstruct(%x)
  %y : Tensor = aten::__getitem__(%l, %nine)
  return (%y))IR");
  try {
    (void)specialise(module, "forward", {torch::ones({2})});
    FAIL() << "accepted";
  } catch (const torchscript::Unsupported& unsupported) {
    EXPECT_EQ(std::string(unsupported.what()), "aten::__getitem__: a list index out of range");
    EXPECT_FALSE(unsupported.keeps_state);
  }
}

}  // namespace
}  // namespace adamec::testing
