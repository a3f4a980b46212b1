#include "adamec/graph/atom_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "adamec/base/error.h"

namespace adamec::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A diamond: a -> b, a -> c, (b, c) -> d; listed out of order.
AtomGraph diamond() {
  const std::vector<TensorDescription> tensors = {
      {"x", 1}, {"ta", 2}, {"tb", 3}, {"tc", 4}, {"td", 5}};
  const std::vector<AtomDescription> atoms = {{"d", {"tb", "tc"}, {"td"}},
                                              {"b", {"ta"}, {"tb"}},
                                              {"a", {"x"}, {"ta"}},
                                              {"c", {"ta", "ta"}, {"tc"}}};
  return AtomGraph(tensors, atoms, "f");
}

TEST(AtomGraph, KnowsProducersAndConsumers) {
  const AtomGraph graph = diamond();
  const Tensor& ta = graph.tensors()[*graph.find_tensor("ta")];
  EXPECT_EQ(ta.producer, *graph.find_atom("a"));
  EXPECT_THAT(ta.consumers, ElementsAre(1, 3));
  EXPECT_EQ(graph.tensors()[0].producer, -1);
  EXPECT_THAT(graph.successors(2), ElementsAre(1, 3));
  EXPECT_THAT(graph.predecessors(0), ElementsAre(1, 3));
  EXPECT_FALSE(graph.find_atom("z"));
  EXPECT_FALSE(graph.find_tensor(""));
}

TEST(AtomGraph, OrderFollowsTheGivenOneWhereItCan) {
  EXPECT_THAT(diamond().topological_order(), ElementsAre(2, 1, 3, 0));
  EXPECT_THAT(AtomGraph().topological_order(), IsEmpty());
}

TEST(AtomGraph, SetsWithAPathOutsideAreNotConvex) {
  const AtomGraph graph = diamond();
  const auto convex = [&](std::vector<int> atoms) { return graph.is_convex(atoms); };
  EXPECT_TRUE(convex({}));
  EXPECT_TRUE(convex({2}));
  EXPECT_TRUE(convex({1, 3}));
  EXPECT_TRUE(convex({2, 1, 3}));
  EXPECT_TRUE(convex({0, 1, 2, 3}));
  EXPECT_FALSE(convex({2, 0}));
  EXPECT_FALSE(convex({2, 1, 0}));
  EXPECT_THAT(graph.path_outside(std::vector<int>{2, 1, 0}), ElementsAre(2, 3, 0));
}

// Against the definition: some pair inside, with an atom outside that the first reaches and that
// reaches the second.
TEST(AtomGraph, ConvexityEqualsItsDefinitionOnRandomGraphs) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const int count = 7;
    std::vector<TensorDescription> tensors;
    std::vector<AtomDescription> atoms;
    std::vector<std::vector<char>> reaches(count, std::vector<char>(count, 0));
    for (int i = 0; i < count; ++i) {
      const std::string id = std::to_string(i);
      tensors.push_back({id, 0});
      atoms.push_back({id, {}, {id}});
      for (int j = 0; j < i; ++j) {
        if (random() % 3 != 0) continue;
        atoms.back().inputs.push_back(std::to_string(j));
        for (int k = 0; k < count; ++k) reaches[k][i] |= k == j || reaches[k][j];
      }
    }
    const AtomGraph graph(tensors, atoms, "f");
    for (int set = 0; set < 1 << count; ++set) {
      std::vector<int> inside;
      bool convex = true;
      for (int i = 0; i < count; ++i) {
        if (set >> i & 1) inside.push_back(i);
        for (int j = 0; j < count && (set >> i & 1); ++j) {
          for (int k = 0; k < count && (set >> j & 1); ++k) {
            convex = convex && (set >> k & 1 || !reaches[i][k] || !reaches[k][j]);
          }
        }
      }
      ASSERT_EQ(graph.is_convex(inside), convex) << set;
    }
  }
}

TEST(AtomGraph, RefusesWhatIsNoGraph) {
  const auto message_for = [](std::vector<TensorDescription> tensors,
                              std::vector<AtomDescription> atoms) -> std::string {
    try {
      const AtomGraph graph(tensors, atoms, "f.json");
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message_for({{"t", 0}, {"t", 0}}, {}), "f.json: two tensors have the id 't'");
  EXPECT_EQ(message_for({}, {{"a", {}, {}}, {"a", {}, {}}}), "f.json: two atoms have the id 'a'");
  EXPECT_EQ(message_for({}, {{"a", {"t"}, {}}}), "f.json: atom 'a': inputs: unknown tensor 't'");
  EXPECT_EQ(message_for({}, {{"a", {}, {"t"}}}), "f.json: atom 'a': outputs: unknown tensor 't'");
  EXPECT_EQ(message_for({{"t", 0}}, {{"a", {}, {"t"}}, {"b", {}, {"t"}}}),
            "f.json: tensor 't' is an output of two atoms, 'a' and 'b'");
  EXPECT_THAT(message_for({{"s", 0}, {"t", 0}}, {{"a", {"t"}, {"s"}}, {"b", {"s"}, {"t"}}}),
              HasSubstr("f.json: the atoms form a cycle through 'a'"));
}

}  // namespace
}  // namespace adamec::graph
