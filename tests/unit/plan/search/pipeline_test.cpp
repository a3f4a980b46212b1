#include "adamec/plan/search/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "adamec/base/error.h"
#include "tests/unit/plan/cost/tier_simulator.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

constexpr double kImpossible = std::numeric_limits<double>::infinity();

// A chain of layers on hosts of a few types with links between all of them.
v1::CostGraph random_hosts(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  v1::CostGraph message;
  const int hosts = pick(1, 4);
  const int layers = pick(1, 7);
  std::vector<int> type;
  for (int i = 0; i < hosts; ++i) {
    type.push_back(pick(0, 1));
    v1::CostGraph::Tier* tier = message.add_tiers();
    tier->set_name("h" + std::to_string(i));
    tier->set_memory_bytes(type[i] == 0 ? 0 : 500);
  }
  for (int a = 0; a < hosts; ++a) {
    for (int b = 0; b < hosts; ++b) {
      if (a == b || (type[a] == 1 && type[b] == 1 && layers % 2 == 0)) continue;
      v1::CostGraph::Link* link = message.add_links();
      link->set_from("h" + std::to_string(a));
      link->set_to("h" + std::to_string(b));
      link->set_bytes_per_second(type[a] == type[b] ? 1e4 : 3e4);
    }
  }
  if (message.links().empty() && hosts > 1) {
    v1::CostGraph::Link* link = message.add_links();
    link->set_from("h0");
    link->set_to("h1");
    link->set_bytes_per_second(1e4);
  }
  for (int i = 0; i <= layers; ++i) {
    v1::CostGraph::Tensor* tensor = message.add_tensors();
    tensor->set_id("t" + std::to_string(i));
    tensor->set_bytes(static_cast<std::uint64_t>(pick(1, 60)));
  }
  for (int i = 0; i < layers; ++i) {
    v1::CostGraph::Atom* atom = message.add_atoms();
    atom->set_id("l" + std::to_string(i));
    atom->add_inputs("t" + std::to_string(i));
    if (i > 1 && pick(0, 3) == 0) atom->add_inputs("t" + std::to_string(i - 1));
    atom->add_outputs("t" + std::to_string(i + 1));
    atom->set_weight_bytes(static_cast<std::uint64_t>(pick(0, 200)));
    atom->set_activation_bytes(static_cast<std::uint64_t>(pick(0, 50)));
    const int times[2] = {pick(1, 9), pick(1, 9)};
    for (int t : type) atom->add_latency_ms(times[t]);
  }
  v1::CostGraph::Endpoint* input = message.add_inputs();
  input->set_tensor("t0");
  input->set_tier("h0");
  v1::CostGraph::Endpoint* output = message.add_outputs();
  output->set_tensor("t" + std::to_string(layers));
  if (pick(0, 1) == 0) output->set_tier("h0");
  return message;
}

// All ways to cut and to choose tiers, by recursion.
class BruteForce {
 public:
  explicit BruteForce(const v1::CostGraph& message)
      : message_(message), layers_(message.atoms_size()), used_(message.tiers_size(), false) {}

  double best() {
    try_from(0, 0, 0, {});
    return best_;
  }
  // The fewest stages and moves of all pipelines that are as fast.
  PlanSize smallest() const { return smallest_; }

 private:
  double bytes(int cut) const {
    const bool returned = !message_.outputs(0).tier().empty();
    if (cut == layers_) return returned ? static_cast<double>(message_.tensors(cut).bytes()) : 0;
    double sum = 0;
    for (int t = 0; t <= cut; ++t) {
      bool needed = false;
      for (int i = cut; i < layers_; ++i) {
        for (const auto& id : message_.atoms(i).inputs()) {
          needed = needed || id == message_.tensors(t).id();
        }
      }
      if (needed) sum += static_cast<double>(message_.tensors(t).bytes());
    }
    return sum;
  }

  double send(int from, int to, double size) const {
    if (from == to || size == 0) return 0;
    double via = kImpossible;
    const auto rate = [&](int a, int b) {
      for (const auto& link : message_.links()) {
        if (link.from() == message_.tiers(a).name() && link.to() == message_.tiers(b).name()) {
          return 1000 / link.bytes_per_second();
        }
      }
      return kImpossible;
    };
    if (std::isfinite(rate(from, to))) return size * rate(from, to);
    for (int other = 0; other < message_.tiers_size(); ++other) {
      if (other != from && other != to) via = std::min(via, rate(from, other) + rate(other, to));
    }
    return size * via;
  }

  void try_from(int done, int at, double slowest, PlanSize size) {
    if (done == layers_) {
      if (!message_.outputs(0).tier().empty()) {
        slowest = std::max(slowest, send(at, 0, bytes(layers_)));
        size.moves += at == 0 ? 0 : 1;
      }
      const bool faster = slowest < best_ * (1 - 1e-12);
      if (faster || (slowest <= best_ * (1 + 1e-12) && size < smallest_)) smallest_ = size;
      best_ = std::min(best_, slowest);
      return;
    }
    for (int tier = 0; tier < message_.tiers_size(); ++tier) {
      if (used_[tier]) continue;
      used_[tier] = true;
      double compute = 0;
      double weights = 0;
      double activation = 0;
      for (int end = done + 1; end <= layers_; ++end) {
        const auto& atom = message_.atoms(end - 1);
        compute += atom.latency_ms(tier);
        weights += static_cast<double>(atom.weight_bytes());
        activation = std::max(activation, static_cast<double>(atom.activation_bytes()));
        const double memory = weights + activation + 2 * (bytes(done) + bytes(end));
        const auto limit = static_cast<double>(message_.tiers(tier).memory_bytes());
        if (limit > 0 && memory > limit) continue;
        try_from(end, tier, std::max({slowest, compute, send(at, tier, bytes(done))}),
                 {size.blocks + 1, size.moves + (at == tier ? 0 : 1)});
      }
      used_[tier] = false;
    }
  }

  const v1::CostGraph& message_;
  int layers_;
  std::vector<bool> used_;
  double best_ = kImpossible;
  PlanSize smallest_;
};

TEST(Pipeline, EqualsBruteForceOnRandomHosts) {
  int feasible = 0;
  int split = 0;
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const v1::CostGraph message = random_hosts(random);
    BruteForce brute_force(message);
    const double best = brute_force.best();
    const CostGraph costs = make_cost_graph(message, "hosts");
    const Evaluator evaluator(costs);
    if (best == kImpossible) {
      EXPECT_THROW((void)find_pipeline(evaluator), Error);
      continue;
    }
    const Pipeline pipeline = find_pipeline(evaluator);
    ASSERT_NEAR(pipeline.slowest_ms, best, 1e-9 * (1 + best)) << message.ShortDebugString();
    int done = 0;
    for (const Stage& stage : pipeline.stages) {
      ASSERT_EQ(stage.first, done);
      done = stage.last;
      const std::uint64_t limit = costs.tiers[stage.tier].memory_bytes;
      ASSERT_TRUE(limit == 0 || stage.memory_bytes <= limit);
    }
    ASSERT_EQ(done, costs.atom_count());
    const bool returned = !message.outputs(0).tier().empty();
    const int moves = static_cast<int>(pipeline.stages.size()) - 1 +
                      (pipeline.stages.front().tier != 0 ? 1 : 0) +
                      (returned && pipeline.stages.back().tier != 0 ? 1 : 0);
    ASSERT_EQ(pipeline.stages.size(), static_cast<std::size_t>(brute_force.smallest().blocks))
        << message.ShortDebugString();
    ASSERT_EQ(moves, brute_force.smallest().moves) << message.ShortDebugString();
    ++feasible;
    split += pipeline.stages.size() > 1;
  }
  EXPECT_GT(feasible, 1000);
  EXPECT_GT(split, 400);
  std::cout << feasible << " feasible pipelines, " << split << " of several stages\n";
}

// 16,384 tensors of the largest size make 2^64 bytes: more than 64 bits hold.
TEST(Pipeline, SumsOfLargeTensorsDoNotOverflow) {
  constexpr int kTensors = 16'384;
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 50;
  v1::CostGraph message = testing::toy_message();
  v1::CostGraph::Atom* last = message.mutable_atoms(1);
  for (int i = 0; i < kTensors; ++i) {
    v1::CostGraph::Tensor* tensor = message.add_tensors();
    tensor->set_id("large" + std::to_string(i));
    tensor->set_bytes(kLargest);
    message.mutable_atoms(0)->add_outputs(tensor->id());
    last->add_inputs(tensor->id());
  }
  for (auto& link : *message.mutable_links()) link.set_bytes_per_second(1e9);
  for (auto& atom : *message.mutable_atoms()) atom.set_latency_ms(0, 1e9);
  {
    // All on one tier: nothing large is sent.
    const CostGraph costs = make_cost_graph(message, "large");
    const Pipeline pipeline = find_pipeline(Evaluator(costs));
    EXPECT_EQ(pipeline.stages.size(), 1u);
    EXPECT_DOUBLE_EQ(pipeline.slowest_ms, 2);  // on the edge
  }
  message.mutable_atoms(0)->add_tiers("device");
  last->add_tiers("edge");
  {
    const CostGraph costs = make_cost_graph(message, "large");
    const Pipeline pipeline = find_pipeline(Evaluator(costs), {1000});
    const double bytes = static_cast<double>(kLargest) * kTensors + 8000;
    EXPECT_DOUBLE_EQ(pipeline.slowest_ms, bytes / 1e6);
    ASSERT_EQ(pipeline.stages.size(), 2u);
    EXPECT_EQ(pipeline.stages[1].memory_bytes, UINT64_MAX);
  }
  message.mutable_tiers(1)->set_memory_bytes(std::uint64_t{1} << 60);
  const CostGraph costs = make_cost_graph(message, "large");
  EXPECT_THROW((void)find_pipeline(Evaluator(costs)), Error);
}

TEST(Pipeline, NamesWhatDoesNotFit) {
  v1::CostGraph message = testing::toy_message();
  message.mutable_tiers(0)->set_memory_bytes(100);
  message.mutable_tiers(1)->set_memory_bytes(150);
  const CostGraph costs = make_cost_graph(message, "f.json");
  try {
    (void)find_pipeline(Evaluator(costs));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInfeasible);
    EXPECT_STREQ(
        error.what(),
        "f.json: no pipeline fits: the weights take 500 B, 250 B more than all tiers have");
  }
}

}  // namespace
}  // namespace adamec::plan
