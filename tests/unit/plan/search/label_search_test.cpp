// The label search by itself: what it says is proven by enumeration, and plans that nothing else
// proves need it.
#include "adamec/plan/search/label_search.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "adamec/plan/search/branch_and_bound.h"
#include "tests/unit/plan/brute_force.h"

namespace adamec::plan {
namespace {

using testing::random_cost_graph;
using testing::Simulator;

std::vector<TierSet> choices_of(const CostGraph& costs) {
  std::vector<TierSet> choices;
  for (const AtomCost& atom : costs.atoms) {
    choices.push_back(0);
    for (int tier = 0; tier < costs.tier_count(); ++tier) {
      if (atom.allowed[tier]) choices.back() |= TierSet{1} << tier;
    }
  }
  return choices;
}

struct Answer {
  LabelSearch::Result result;
  double least = std::numeric_limits<double>::infinity();  // of the placements it gave
  std::int64_t work = 0;
};

// Nothing is known beforehand, so all that is found comes from labels.
Answer search_alone(const Evaluator& evaluator, std::size_t width) {
  Bounds bounds(
      evaluator, [](const Placement&) {}, [] { return false; });
  const std::vector<int> pins(evaluator.costs().atoms.size(), -1);
  const Prices prices = bounds.tighten(pins, bounds.initial_prices(), 10, 1e300).prices;
  const Bounds::Reduced reduced = bounds.reduce(pins, prices);
  const std::vector<TierSet> choices = choices_of(evaluator.costs());
  LabelSearch search(evaluator, bounds.relaxation(), choices, reduced, prices);
  Answer answer;
  const LabelSearch::Callbacks callbacks{[] { return std::numeric_limits<double>::infinity(); },
                                         [&](const Placement& placement) {
                                           ASSERT_TRUE(evaluator.allowed(placement));
                                           ASSERT_TRUE(evaluator.fits(placement));
                                           answer.least =
                                               std::min(answer.least, evaluator.cost(placement));
                                         },
                                         [] { return false; }};
  answer.result = search.run(width, callbacks);
  answer.work = search.work();
  return answer;
}

TEST(LabelSearch, FindsTheOptimumOfEveryGraphByItself) {
  int limited = 0;
  int moved = 0;
  int solved = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const v1::CostGraph message = random_cost_graph(random, 9);
    const double best = Simulator(message).best_ms();
    if (best == Simulator::kImpossible || message.links_size() < 2) continue;
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    ASSERT_TRUE(LabelSearch::is_available(evaluator, evaluator.routes().moves_cost()));
    const Answer answer = search_alone(evaluator, 1 << 14);
    ASSERT_TRUE(answer.result.complete);
    ASSERT_NEAR(answer.least, best, 1e-9 * (1 + best)) << message.ShortDebugString();
    ASSERT_GT(answer.work, 0);
    ++solved;
    limited += message.tiers(0).memory_bytes() > 0 || message.tiers(1).memory_bytes() > 0;
    moved += evaluator.routes().moves_cost();
  }
  EXPECT_GT(solved, 300);
  EXPECT_GT(limited, 50);
  EXPECT_GT(moved, 150);
}

// With few labels a step the bound is that of what was dropped: true, and higher with more.
TEST(LabelSearch, BoundsWhatItDrops) {
  int incomplete = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const v1::CostGraph message = random_cost_graph(random, 10);
    const double best = Simulator(message).best_ms();
    if (best == Simulator::kImpossible || message.links_size() < 2) continue;
    const CostGraph costs = make_cost_graph(message, "random");
    const Evaluator evaluator(costs);
    const Answer answer = search_alone(evaluator, 3);
    ASSERT_GE(answer.least, best * (1 - 1e-9));
    if (answer.result.complete) continue;
    ASSERT_LE(std::min(answer.result.bound, answer.least), best * (1 + 1e-9));
    ++incomplete;
  }
  EXPECT_GT(incomplete, 20);
}

// A chain of atoms that share the edge's memory, all about as much worth a byte: a knapsack, whose
// bound no price and no minimum cut closes. Branch and bound alone is nowhere near an end here.
TEST(LabelSearch, ProvesWhatNothingElseDoes) {
  std::mt19937 random(7);
  v1::CostGraph message;
  for (const char* name : {"device", "edge"}) message.add_tiers()->set_name(name);
  std::uint64_t weights = 0;
  const auto add_tensor = [&](const std::string& id) {
    v1::CostGraph::Tensor* tensor = message.add_tensors();
    tensor->set_id(id);
    tensor->set_bytes(1);
  };
  add_tensor("t0");
  for (int i = 0; i < 60; ++i) {
    v1::CostGraph::Atom* atom = message.add_atoms();
    atom->set_id("a" + std::to_string(i));
    atom->add_inputs("t" + std::to_string(i));
    atom->add_outputs("t" + std::to_string(i + 1));
    add_tensor("t" + std::to_string(i + 1));
    const int bytes = std::uniform_int_distribution<int>(100, 200)(random);
    atom->add_latency_ms(bytes + std::uniform_int_distribution<int>(0, 3)(random));
    atom->add_latency_ms(0);
    atom->set_weight_bytes(static_cast<std::uint64_t>(bytes));
    weights += atom->weight_bytes();
  }
  message.mutable_tiers(1)->set_memory_bytes(weights / 2);
  for (int from = 0; from < 2; ++from) {
    v1::CostGraph::Link* link = message.add_links();
    link->set_from(message.tiers(from).name());
    link->set_to(message.tiers(1 - from).name());
    link->set_bytes_per_second(1e6);
  }
  v1::CostGraph::Endpoint* input = message.add_inputs();
  input->set_tensor("t0");
  input->set_tier("device");
  const CostGraph costs = make_cost_graph(message, "knapsack");
  const Plan plan = find_optimal(Evaluator(costs));
  EXPECT_EQ(plan.gap, 0);
  // By the other way: the most latency saved for each number of bytes, and tensors of next to no
  // bytes. Each of at most 61 of them takes a microsecond.
  const std::size_t room = weights / 2;
  std::vector<double> saved(room + 1, 0);
  double total = 0;
  for (const auto& atom : message.atoms()) {
    total += atom.latency_ms(0);
    for (std::size_t bytes = room; bytes >= atom.weight_bytes(); --bytes) {
      saved[bytes] =
          std::max(saved[bytes], saved[bytes - atom.weight_bytes()] + atom.latency_ms(0));
    }
  }
  EXPECT_GE(plan.evaluation.latency_ms, total - saved[room]);
  EXPECT_LE(plan.evaluation.latency_ms, total - saved[room] + 61e-3);
}

}  // namespace
}  // namespace adamec::plan
