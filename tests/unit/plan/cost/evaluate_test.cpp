#include "adamec/plan/cost/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "adamec/base/error.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using ::testing::HasSubstr;
using testing::toy;
using testing::toy_message;

TEST(Evaluate, DeviceOnlyCostsItsCompute) {
  const CostGraph costs = toy();
  const Evaluation evaluation = Evaluator(costs).evaluate({0, 0});
  EXPECT_DOUBLE_EQ(evaluation.latency_ms, 15);
  EXPECT_EQ(evaluation.moves, 0);
  EXPECT_TRUE(evaluation.transfers.empty());
  ASSERT_EQ(evaluation.blocks.size(), 1u);
  EXPECT_EQ(evaluation.blocks[0].atoms, (std::vector<int>{0, 1}));
  EXPECT_EQ(evaluation.memory_bytes, (std::vector<std::uint64_t>{550, 0}));
}

TEST(Evaluate, EdgeOnlyPaysUploadReturnAndTwoMoves) {
  const CostGraph costs = toy();
  const Evaluation evaluation = Evaluator(costs).evaluate({1, 1});
  EXPECT_DOUBLE_EQ(evaluation.compute_ms[1], 2);
  EXPECT_DOUBLE_EQ(evaluation.transfer_ms, 2 + 0.5);
  EXPECT_DOUBLE_EQ(evaluation.handoff_ms, 10);
  EXPECT_DOUBLE_EQ(evaluation.latency_ms, 14.5);
  ASSERT_EQ(evaluation.transfers.size(), 2u);
  EXPECT_EQ(evaluation.transfers[0].from, 0);
  EXPECT_EQ(evaluation.transfers[1].bytes, 1000u);
}

TEST(Evaluate, SplitHasTwoBlocksInOrder) {
  const CostGraph costs = toy();
  const Evaluation evaluation = Evaluator(costs).evaluate({1, 0});
  ASSERT_EQ(evaluation.blocks.size(), 2u);
  EXPECT_EQ(evaluation.blocks[0].tier, 1);
  EXPECT_EQ(evaluation.blocks[1].tier, 0);
  EXPECT_DOUBLE_EQ(evaluation.latency_ms, 1.5 + 3 + 2 + 4 + 10);
}

TEST(Evaluate, ResultThatMayStayNeedsNoReturn) {
  v1::CostGraph message = toy_message();
  message.mutable_outputs(0)->clear_tier();
  const CostGraph costs = make_cost_graph(message, "f");
  EXPECT_DOUBLE_EQ(Evaluator(costs).evaluate({1, 1}).latency_ms, 2 + 2 + 5);
}

TEST(Evaluate, TensorWithTwoConsumersIsSentOnce) {
  v1::CostGraph message = toy_message();
  v1::CostGraph::Tensor* tensor = message.add_tensors();
  tensor->set_id("z");
  v1::CostGraph::Atom* atom = message.add_atoms();
  *atom = message.atoms(1);
  atom->set_id("c");
  atom->set_outputs(0, "z");
  const CostGraph costs = make_cost_graph(message, "f");
  const Evaluation evaluation = Evaluator(costs).evaluate({0, 1, 1});
  EXPECT_DOUBLE_EQ(evaluation.transfer_ms, 8 + 0.5);
  EXPECT_EQ(evaluation.transfers.size(), 2u);
}

TEST(Evaluate, AtomsOfOnePhaseShareABlockAcrossBranches) {
  // Two independent branches: edge atom, then device atom. One visit to the edge is enough.
  v1::CostGraph message = toy_message();
  for (const char* id : {"x2", "t2", "y2"}) message.add_tensors()->set_id(id);
  for (int i = 0; i < 2; ++i) {
    v1::CostGraph::Atom* atom = message.add_atoms();
    *atom = message.atoms(i);
    atom->set_id(atom->id() + "2");
    atom->set_inputs(0, atom->inputs(0) + "2");
    atom->set_outputs(0, atom->outputs(0) + "2");
  }
  v1::CostGraph::Endpoint* input = message.add_inputs();
  input->set_tensor("x2");
  input->set_tier("device");
  const CostGraph costs = make_cost_graph(message, "f");
  const Evaluation evaluation = Evaluator(costs).evaluate({1, 0, 1, 0});
  EXPECT_EQ(evaluation.moves, 2);
  ASSERT_EQ(evaluation.blocks.size(), 2u);
  EXPECT_EQ(evaluation.blocks[0].atoms, (std::vector<int>{0, 2}));
  EXPECT_EQ(evaluation.blocks[1].atoms, (std::vector<int>{1, 3}));
}

TEST(Evaluate, SaysWhyAPlacementCannotRun) {
  v1::CostGraph message = toy_message();
  message.mutable_atoms(1)->add_tiers("device");
  message.mutable_tiers(1)->set_memory_bytes(120);
  message.mutable_links()->RemoveLast();
  const CostGraph costs = make_cost_graph(message, "f");
  const Evaluator evaluator(costs);
  EXPECT_TRUE(evaluator.evaluate({0, 0}).feasible());
  EXPECT_EQ(evaluator.evaluate({0, 1}).infeasible, "atom 'b' may not run on 'edge'");
  EXPECT_EQ(evaluator.evaluate({1, 0}).infeasible,
            "'edge' needs 150 B of memory, 30 B more than it has");
  message.mutable_tiers(1)->set_memory_bytes(150);
  const CostGraph roomy = make_cost_graph(message, "f");
  const Evaluation evaluation = Evaluator(roomy).evaluate({1, 0});
  EXPECT_EQ(evaluation.infeasible, "there is no link from 'edge' to 'device'");
  EXPECT_TRUE(std::isinf(evaluation.latency_ms));
}

TEST(Evaluate, ModelWithoutAtomsOnlyMovesItsInput) {
  v1::CostGraph message = toy_message();
  message.clear_atoms();
  message.mutable_tensors()->DeleteSubrange(1, 2);
  message.mutable_outputs(0)->set_tensor("x");
  message.mutable_outputs(0)->set_tier("edge");
  const CostGraph costs = make_cost_graph(message, "f");
  const Evaluation evaluation = Evaluator(costs).evaluate({});
  EXPECT_DOUBLE_EQ(evaluation.latency_ms, 2 + 5);
  EXPECT_TRUE(evaluation.blocks.empty());
}

// Device - edge - cloud: what goes from one end to the other passes the edge.
TEST(Evaluate, TensorsAndControlTravelHopByHop) {
  v1::CostGraph message = toy_message();
  message.add_tiers()->set_name("cloud");
  for (auto& atom : *message.mutable_atoms()) atom.add_latency_ms(0.1);
  const auto add_link = [&](const char* from, const char* to) {
    v1::CostGraph::Link* link = message.add_links();
    link->set_from(from);
    link->set_to(to);
    link->set_bytes_per_second(4e6);
    link->set_latency_ms(7);
  };
  add_link("edge", "cloud");
  add_link("cloud", "edge");
  message.mutable_tiers(2)->set_block_overhead_ms(0.25);
  const CostGraph costs = make_cost_graph(message, "f.json");
  const Evaluation result = Evaluator(costs).evaluate({0, 2});
  ASSERT_TRUE(result.feasible()) << result.infeasible;
  // t: 8000 B up at 1000 and 4000 B/ms; y: 1000 B back at 4000 and 2000 B/ms.
  ASSERT_EQ(result.transfers.size(), 4u);
  EXPECT_DOUBLE_EQ(result.transfer_ms, 8 + 2 + 0.25 + 0.5);
  EXPECT_EQ(result.moves, 4);
  EXPECT_DOUBLE_EQ(result.handoff_ms, 2 * (5 + 7));
  EXPECT_DOUBLE_EQ(result.compute_ms[2], 0.1 + 0.25);
  EXPECT_DOUBLE_EQ(result.latency_ms, 12 + 0.35 + 10.75 + 24);
  EXPECT_EQ(result.blocks.size(), 2u);
  message.mutable_links()->RemoveLast();
  const CostGraph one_way = make_cost_graph(message, "f.json");
  EXPECT_EQ(Evaluator(one_way).evaluate({0, 2}).infeasible,
            "there is no link or path of links from 'cloud' to 'device'");
}

}  // namespace
}  // namespace adamec::plan
