#include "adamec/graph/reduction.h"

#include <gtest/gtest.h>

#include <map>

namespace adamec::graph {
namespace {

struct Step {
  std::vector<std::string> inputs;
  std::string output;
  std::uint64_t bytes;
};

// One atom per step, named like its output; the model's input "x" and the last output is returned.
std::vector<int> blocks(std::uint64_t input_bytes, const std::vector<Step>& steps,
                        const std::vector<std::string>& weights = {}) {
  std::vector<TensorDescription> tensors{{"x", input_bytes}};
  std::vector<AtomDescription> atoms;
  for (const std::string& weight : weights) tensors.push_back({weight, 1000000});
  for (const Step& step : steps) {
    tensors.push_back({step.output, step.bytes});
    atoms.push_back({step.output, step.inputs, {step.output}});
  }
  const AtomGraph graph(tensors, atoms, "test");
  std::vector<TensorRole> roles(tensors.size());
  for (std::size_t i = 0; i < weights.size(); ++i) roles[1 + i].travels = false;
  roles.back().result = true;
  return lossless_blocks(graph, roles);
}

using Blocks = std::vector<int>;

TEST(Reduction, NothingIsEmpty) { EXPECT_TRUE(lossless_blocks(AtomGraph(), {}).empty()); }

// conv 100 -> 400, activation, pooling to 50, classifier 10: the tensor may be sent before the
// first operator, after the pooling, after the classifier, and as the result.
TEST(Reduction, AChainIsCutWhereItsTensorsAreSmallest) {
  EXPECT_EQ(blocks(100, {{{"x"}, "conv", 400},
                         {{"conv"}, "relu", 400},
                         {{"relu"}, "pool", 50},
                         {{"pool"}, "fc", 10},
                         {{"fc"}, "softmax", 10}}),
            (Blocks{0, 0, 0, 1, 2}));
}

// Growing tensors: the result goes back to the device before it grows.
TEST(Reduction, ADecoderIsCutWhereTheResultMayReturn) {
  EXPECT_EQ(blocks(1000, {{{"x"}, "encode", 10}, {{"encode"}, "up", 40}, {{"up"}, "sigmoid", 40}}),
            (Blocks{0, 1, 1}));
  // One atom more: the tensor of 40 bytes is never sent before its activation.
  EXPECT_EQ(blocks(1000, {{{"x"}, "encode", 10},
                          {{"encode"}, "up", 40},
                          {{"up"}, "sigmoid", 40},
                          {{"sigmoid"}, "up2", 160}}),
            (Blocks{0, 1, 1, 2}));
}

TEST(Reduction, AResidualConnectionStaysWithItsBranch) {
  EXPECT_EQ(blocks(40, {{{"x"}, "conv1", 40},
                        {{"conv1"}, "relu", 40},
                        {{"relu"}, "conv2", 40},
                        {{"conv2", "x"}, "add", 40},
                        {{"add"}, "relu2", 40}}),
            (Blocks{0, 0, 0, 0, 0}));
}

// Inside a bottleneck a quarter of the bytes does; the skip connection may stay on the device.
TEST(Reduction, TheMiddleOfABottleneckMayRunAlone) {
  EXPECT_EQ(blocks(40, {{{"x"}, "reduce", 10},
                        {{"reduce"}, "relu", 10},
                        {{"relu"}, "conv", 10},
                        {{"conv"}, "expand", 40},
                        {{"expand", "x"}, "add", 40}}),
            (Blocks{0, 1, 1, 2, 3}));
}

TEST(Reduction, BranchesThatAddUpToTheWholeAreOneBlock) {
  EXPECT_EQ(blocks(40, {{{"x"}, "left", 40}, {{"x"}, "right", 50}, {{"left", "right"}, "cat", 40}}),
            (Blocks{0, 0, 0}));
  // A branch of few bytes is worth running elsewhere.
  EXPECT_EQ(blocks(40, {{{"x"}, "left", 40}, {{"x"}, "right", 5}, {{"left", "right"}, "cat", 45}}),
            (Blocks{0, 1, 2}));
}

TEST(Reduction, WeightsAreNeverSent) {
  EXPECT_EQ(blocks(40, {{{"x", "w"}, "matmul", 40}, {{"matmul", "w"}, "again", 40}}, {"w"}),
            (Blocks{0, 0}));
}

TEST(Reduction, AtomsThatStayAloneSeparateTheOthers) {
  const std::vector<TensorDescription> tensors{{"x", 40}, {"a", 40}, {"b", 40}, {"c", 40}};
  const std::vector<AtomDescription> atoms{
      {"a", {"x"}, {"a"}}, {"b", {"a"}, {"b"}}, {"c", {"b"}, {"c"}}};
  const AtomGraph graph(tensors, atoms, "test");
  std::vector<TensorRole> roles(tensors.size());
  roles.back().result = true;
  EXPECT_EQ(lossless_blocks(graph, roles), (Blocks{0, 0, 0}));
  EXPECT_EQ(lossless_blocks(graph, roles, std::vector<char>{0, 1, 0}), (Blocks{0, 1, 2}));
}

TEST(Reduction, TensorsWithoutBytesSeparateNothingAndJoinNothing) {
  // "shape" leads nowhere near "relu": together they would not be convex.
  EXPECT_EQ(blocks(40, {{{"x"}, "shape", 0}, {{"x"}, "relu", 40}, {{"relu", "shape"}, "out", 40}}),
            (Blocks{0, 1, 2}));
}

TEST(Reduction, SizesBeyondTheFlowKeepAtomsApart) {
  EXPECT_EQ(blocks(~0ULL, {{{"x"}, "a", ~0ULL}, {{"a"}, "b", ~0ULL}}), (Blocks{0, 1}));
}

TEST(Reduction, ADeepChainNeedsNoRecursion) {
  std::vector<Step> steps;
  for (int i = 0; i < 1500; ++i) {
    steps.push_back({{i == 0 ? "x" : std::to_string(i - 1)}, std::to_string(i), 40});
  }
  EXPECT_EQ(blocks(40, steps), Blocks(1500, 0));
}

}  // namespace
}  // namespace adamec::graph
