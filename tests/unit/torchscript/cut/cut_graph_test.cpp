// cut() on hand-written graphs: what is cut, what is kept together, what crosses.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "adamec/torchscript/cut/cut.h"
#include "adamec/torchscript/cut/strongly_connected.h"
#include "adamec/torchscript/run/record.h"
#include "tests/unit/torchscript/ir_graph.h"

namespace adamec::testing {
namespace {

using torchscript::AtomDraft;
using torchscript::Residual;

// Its last inputs are weights with this content, the others are the model's.
Residual residual_of(const std::string& text, const std::vector<at::Tensor>& weights = {}) {
  Residual residual;
  residual.graph = parse_graph(text);
  const auto inputs = residual.graph->inputs();
  const std::size_t first = inputs.size() - weights.size();
  residual.inputs.assign(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(first));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    inputs[first + i]->setType(c10::TensorType::create(weights[i]));
    residual.weights.push_back({inputs[first + i], "w" + std::to_string(i), weights[i]});
  }
  return residual;
}

// The atoms' operators: "aten::relu; aten::chunk prim::ListUnpack".
std::string atoms_of(const std::vector<AtomDraft>& atoms) {
  std::string text;
  for (const AtomDraft& atom : atoms) text += (text.empty() ? "" : "; ") + kinds_of(atom.operators);
  return text;
}

// Names of values as in the text of the graph: "x y".
std::string names_of(const std::vector<torch::jit::Value*>& values) {
  std::string text;
  for (const auto* value : values) text += (text.empty() ? "" : " ") + value->debugName();
  return text;
}

TEST(CutGraph, EveryTensorOperatorIsAnAtomViewsToo) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor):
  %a : Tensor = aten::relu(%x)
  %b : Tensor = aten::t(%a)
  %c : Tensor = aten::matmul(%a, %b)
  return (%c))IR");
  const auto atoms = cut(residual, 0);
  EXPECT_EQ(atoms_of(atoms), "aten::relu; aten::t; aten::matmul");
  EXPECT_EQ(names_of(atoms[0].subgraph.inputs), "x");
  EXPECT_EQ(names_of(atoms[0].subgraph.outputs), "a");
  EXPECT_EQ(names_of(atoms[2].subgraph.inputs), "a b");
  EXPECT_EQ(names_of(atoms[2].subgraph.outputs), "c");
}

TEST(CutGraph, AListAndItsUnpackingStayTogether) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor):
  %two : int = prim::Constant[value=2]()
  %zero : int = prim::Constant[value=0]()
  %l : Tensor[] = aten::chunk(%x, %two, %zero)
  %a : Tensor, %b : Tensor = prim::ListUnpack(%l)
  %c : Tensor = aten::relu(%a)
  return (%b, %c))IR");
  const auto atoms = cut(residual, 0);
  EXPECT_EQ(atoms_of(atoms), "aten::chunk prim::ListUnpack; aten::relu");
  EXPECT_EQ(names_of(atoms[0].subgraph.outputs), "a b");
  EXPECT_EQ(kinds_of(atoms[0].subgraph.nodes),
            "prim::Constant prim::Constant aten::chunk prim::ListUnpack");
}

TEST(CutGraph, ScalarAndListCodeIsCopiedToWhereItIsNeeded) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor, %y : Tensor):
  %zero : int = prim::Constant[value=0]()
  %n : int = aten::size(%x, %zero)
  %l : Tensor[] = prim::ListConstruct(%x, %y)
  %a : Tensor = aten::cat(%l, %zero)
  %b : Tensor = aten::stack(%l, %zero)
  %c : Tensor = aten::mul(%a, %n)
  return (%b, %c))IR");
  const auto atoms = cut(residual, 0);
  EXPECT_EQ(atoms_of(atoms), "aten::cat; aten::stack; aten::mul");
  EXPECT_EQ(kinds_of(atoms[0].subgraph.nodes), "prim::Constant prim::ListConstruct aten::cat");
  EXPECT_EQ(kinds_of(atoms[1].subgraph.nodes), "prim::Constant prim::ListConstruct aten::stack");
  EXPECT_EQ(kinds_of(atoms[2].subgraph.nodes), "prim::Constant aten::size aten::mul");
  EXPECT_EQ(names_of(atoms[2].subgraph.inputs), "a x");  // whose size it takes
}

TEST(CutGraph, PortableNodesAreCopiedToo) {
  Residual residual = residual_of(R"IR(
graph(%x : Tensor, %w : Tensor):
  %t : Tensor = aten::t(%w)
  %a : Tensor = aten::matmul(%x, %t)
  %b : Tensor = aten::matmul(%a, %t)
  return (%b))IR",
                                  {torch::ones({2, 2})});
  EXPECT_EQ(atoms_of(cut(residual, 1024)), "aten::t; aten::matmul; aten::matmul");
  residual.portable.insert(*residual.graph->nodes().begin());
  const auto atoms = cut(residual, 1024);
  EXPECT_EQ(atoms_of(atoms), "aten::matmul; aten::matmul");
  EXPECT_EQ(kinds_of(atoms[1].subgraph.nodes), "aten::t aten::matmul");
  EXPECT_EQ(names_of(atoms[1].weights), "w");
}

TEST(CutGraph, WritesToMemoryStayWithWhatSeesThem) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor):
  %zero : int = prim::Constant[value=0]()
  %one : int = prim::Constant[value=1]()
  %y : Tensor = aten::tanh(%x)
  %before : Tensor = aten::relu(%y)
  %row : Tensor = aten::select(%y, %zero, %zero)
  %written : Tensor = aten::add_(%row, %one, %one)
  %after : Tensor = aten::neg(%y)
  return (%before, %after))IR");
  const auto atoms = cut(residual, 0);
  EXPECT_EQ(atoms_of(atoms), "aten::tanh aten::relu aten::select aten::add_; aten::neg");
  EXPECT_EQ(names_of(atoms[0].subgraph.outputs), "y before");
}

TEST(CutGraph, WhatIsWrittenToInsideABlockIsItsOwn) {
  const auto text = [](const std::string& canvas) {
    return R"IR(
graph(%x : Tensor, %c : Tensor):
  %none : NoneType = prim::Constant()
  %one : int = prim::Constant[value=1]()
  %y : Tensor = aten::relu(%x)
  %go : bool = aten::Bool(%c)
  %z : Tensor = prim::If(%go)
    block0():
      %canvas : Tensor = )IR" +
           canvas + R"IR(
      %w : Tensor = aten::add_(%canvas, %y, %one)
      -> (%w)
    block1():
      -> (%y)
  return (%z))IR";
  };
  const Residual made_inside =
      residual_of(text("aten::zeros_like(%y, %none, %none, %none, %none, %none)"));
  EXPECT_EQ(atoms_of(cut(made_inside, 0)), "aten::relu; prim::If");
  const Residual from_outside = residual_of(text("aten::t(%y)"));
  EXPECT_EQ(atoms_of(cut(from_outside, 0)), "aten::relu prim::If");
}

TEST(CutGraph, WeightsOfSeveralAtomsAreShared) {
  const std::string text = R"IR(
graph(%x : Tensor, %large : Tensor, %small : Tensor):
  %one : int = prim::Constant[value=1]()
  %a : Tensor = aten::matmul(%x, %large)
  %b : Tensor = aten::add(%a, %small, %one)
  %c : Tensor = aten::matmul(%b, %large)
  %d : Tensor = aten::add(%c, %small, %one)
  return (%d))IR";
  const Residual residual = residual_of(text, {torch::ones({8, 8}), torch::ones({8})});
  const auto atoms = cut(residual, 8 * 8 * 4);
  ASSERT_EQ(atoms_of(atoms), "aten::matmul; aten::add; aten::matmul; aten::add");
  EXPECT_EQ(names_of(atoms[0].subgraph.inputs), "x large");
  EXPECT_EQ(names_of(atoms[1].subgraph.inputs), "a");  // it holds the small one itself
  EXPECT_EQ(names_of(atoms[1].weights), "small");
  EXPECT_EQ(names_of(cut(residual, 8 * 8 * 4 + 1)[0].subgraph.inputs), "x");
}

// %t and %l come from one atom and meet in another, with tanh between: all three are one.
TEST(CutGraph, AtomsAreConvex) {
  const std::string text = R"IR(
graph(%x : Tensor, %c : Tensor):
  %go : bool = aten::Bool(%c)
  %t : Tensor, %l : Tensor[] = prim::If(%go)
    block0():
      %a : Tensor = aten::relu(%x)
      %la : Tensor[] = prim::ListConstruct(%a, %x)
      -> (%a, %la)
    block1():
      %lb : Tensor[] = prim::ListConstruct(%x, %x)
      -> (%x, %lb)
  %u : Tensor = aten::tanh(%t)
  %r : Tensor = aten::index(%u, %l)
  return (%r))IR";
  const Residual residual = residual_of(text);
  const auto atoms = cut(residual, 0);
  EXPECT_EQ(atoms_of(atoms), "prim::If aten::tanh aten::index");
  EXPECT_EQ(names_of(atoms[0].subgraph.inputs), "c x");
}

TEST(CutGraph, OperatorsWithSeveralResults) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor):
  %k : int = prim::Constant[value=2]()
  %dim : int = prim::Constant[value=-1]()
  %yes : bool = prim::Constant[value=1]()
  %values : Tensor, %indices : Tensor = aten::topk(%x, %k, %dim, %yes, %yes)
  %y : Tensor = aten::relu(%values)
  return (%y))IR");
  const auto atoms = cut(residual, 0);
  EXPECT_EQ(atoms_of(atoms), "aten::topk; aten::relu");
  EXPECT_EQ(names_of(atoms[0].subgraph.outputs), "values");  // nobody reads the indices
}

// What is read by dropped operators only is dropped, too, and does not count as reading a weight.
TEST(CutGraph, DeadOperatorsAreDropped) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor, %w : Tensor):
  %a : Tensor = aten::relu(%x)
  %b : Tensor = aten::matmul(%a, %w)
  %c : Tensor = aten::matmul(%x, %w)
  return (%c))IR",
                                        {torch::ones({2, 2})});
  const auto atoms = cut(residual, 0);
  ASSERT_EQ(atoms_of(atoms), "aten::matmul");
  EXPECT_EQ(names_of(atoms[0].subgraph.inputs), "x");
  EXPECT_EQ(names_of(atoms[0].weights), "w");
}

TEST(CutGraph, OperatorsWithoutInputs) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor):
  %three : int = prim::Constant[value=3]()
  %none : NoneType = prim::Constant()
  %one : int = prim::Constant[value=1]()
  %sizes : int[] = prim::ListConstruct(%three)
  %r : Tensor = aten::rand(%sizes, %none, %none, %none, %none)
  %y : Tensor = aten::add(%x, %r, %one)
  return (%y))IR");
  const auto atoms = cut(residual, 0);
  ASSERT_EQ(atoms_of(atoms), "aten::rand; aten::add");
  EXPECT_TRUE(atoms[0].subgraph.inputs.empty());
  EXPECT_EQ(names_of(atoms[1].subgraph.inputs), "x r");
}

TEST(CutGraph, RecordsGiveWhatTheGraphGives) {
  const Residual residual = residual_of(R"IR(
graph(%x : Tensor, %w : Tensor):
  %one : int = prim::Constant[value=1]()
  %a : Tensor = aten::mul(%x, %w)
  %b : Tensor = aten::add(%a, %w, %one)
  return (%b))IR",
                                        {torch::full({2}, 3.0)});
  auto atoms = cut(residual, 1024);
  ASSERT_EQ(atoms.size(), 2u);
  c10::IValue value = torch::ones({2});
  for (const AtomDraft& atom : atoms) {
    auto module = torchscript::load_record(subgraph_record(residual, atom.subgraph));
    value = module.forward({value});
  }
  EXPECT_TRUE(value.toTensor().equal(torch::full({2}, 6.0)));
}

TEST(StronglyConnected, ComponentsOfAGraph) {
  const auto components =
      torchscript::strongly_connected({{1, {2}}, {2, {3, 4}}, {3, {1}}, {4, {5}}, {5, {}}});
  std::set<std::set<int>> found;
  for (const auto& component : components) found.emplace(component.begin(), component.end());
  EXPECT_EQ(found, (std::set<std::set<int>>{{1, 2, 3}, {4}, {5}}));
}

TEST(StronglyConnected, LongChainsDoNotOverflowTheStack) {
  constexpr int kNodes = 200'000;
  std::map<int, std::set<int>> edges;
  for (int i = 0; i < kNodes; ++i) edges[i] = {i + 1};
  edges[kNodes] = {};
  EXPECT_EQ(torchscript::strongly_connected(edges).size(), kNodes + 1u);
  edges[kNodes] = {0};
  EXPECT_EQ(torchscript::strongly_connected(edges).size(), 1u);
}

}  // namespace
}  // namespace adamec::testing
