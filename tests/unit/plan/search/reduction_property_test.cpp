// Once-for-all reduction against brute force: in every context some best placement keeps every
// lossless block on one tier.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "adamec/graph/reduction.h"
#include "adamec/plan/search/branch_and_bound.h"
#include "tests/unit/plan/brute_force.h"
#include "tests/unit/plan/search/merge_costs.h"

namespace adamec::testing {
namespace {

constexpr int kGraphs = 300;
constexpr int kContexts = 20;
constexpr double kTolerance = 1e-9;

using Random = std::mt19937;

unsigned first_seed() {
  const char* text = std::getenv("ADAMEC_SEED");
  return text == nullptr ? 20240501u : static_cast<unsigned>(std::atoi(text));
}

int pick(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}
double real(Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

// Few sizes, so that equal ones are common, as in networks.
std::uint64_t size(Random& random) {
  static const std::vector<std::uint64_t> kSizes{0, 1, 10, 10, 20, 20, 20, 40, 40, 100};
  return kSizes[pick(random, 0, 9)];
}

// Chains with branches that meet again and connections that skip a few atoms.
v1::CostGraph network(Random& random, int atoms) {
  v1::CostGraph message;
  const auto add_tensor = [&](const std::string& id) {
    auto* tensor = message.add_tensors();
    tensor->set_id(id);
    tensor->set_bytes(size(random));
  };
  const int inputs = pick(random, 1, 5) == 1 ? 2 : 1;
  for (int i = 0; i < inputs; ++i) add_tensor("x" + std::to_string(i));
  const double skips = real(random, 0, 0.5);
  for (int i = 0; i < atoms; ++i) {
    auto* atom = message.add_atoms();
    atom->set_id("a" + std::to_string(i));
    const int made = message.tensors_size();
    std::set<int> sources{std::max(0, made - pick(random, 1, pick(random, 1, 3)))};
    if (real(random, 0, 1) < skips) sources.insert(pick(random, 0, made - 1));
    for (const int source : sources) atom->add_inputs(message.tensors(source).id());
    for (int k = pick(random, 1, 8) == 1 ? 2 : 1; k > 0; --k) {
      atom->add_outputs(atom->id() + ":" + std::to_string(k));
      add_tensor(atom->outputs(atom->outputs_size() - 1));
    }
  }
  return message;
}

// Inputs and results on either tier, also mixed; results also wherever they are made.
void set_endpoints(Random& random, v1::CostGraph& message) {
  std::set<std::string> consumed, made;
  for (const auto& atom : message.atoms()) {
    consumed.insert(atom.inputs().begin(), atom.inputs().end());
    made.insert(atom.outputs().begin(), atom.outputs().end());
  }
  const int everywhere = pick(random, -2, 2);
  const auto tier = [&](int low) { return everywhere >= low ? everywhere : pick(random, low, 1); };
  static const char* const kNames[] = {"device", "edge"};
  for (const auto& tensor : message.tensors()) {
    if (made.count(tensor.id()) == 0) {
      auto* input = message.add_inputs();
      input->set_tensor(tensor.id());
      input->set_tier(kNames[std::min(1, tier(0))]);
    } else if (consumed.count(tensor.id()) == 0 || pick(random, 1, 12) == 1) {
      auto* output = message.add_outputs();
      output->set_tensor(tensor.id());
      const int on = std::min(1, tier(-1));
      if (on >= 0) output->set_tier(kNames[on]);
    }
  }
}

// Times, bandwidths and latencies from nothing to very much; the edge is never slower.
void set_context(Random& random, v1::CostGraph& message) {
  message.clear_tiers();
  message.clear_links();
  for (const char* name : {"device", "edge"}) message.add_tiers()->set_name(name);
  const double latency = pick(random, 0, 2) == 0 ? 0 : std::pow(10, real(random, -2, 2));
  for (int from = 0; from < 2; ++from) {
    auto* link = message.add_links();
    link->set_from(message.tiers(from).name());
    link->set_to(message.tiers(1 - from).name());
    link->set_bytes_per_second(1000 * std::pow(10, real(random, -3, 3)));
    link->set_latency_ms(latency * (pick(random, 0, 1) == 0 ? 1 : real(random, 0, 2)));
  }
  const int kind = pick(random, 0, 3);  // what the edge gains: alike, at random, all or nothing
  const double ratio = real(random, 0, 1);
  for (auto& atom : *message.mutable_atoms()) {
    const double device = std::pow(10, real(random, -1, 2));
    const double gain = kind == 0 ? ratio : kind == 1 ? real(random, 0, 1) : pick(random, 0, 1);
    atom.clear_latency_ms();
    atom.add_latency_ms(device);
    atom.add_latency_ms(device * (1 - gain));
  }
}

// The blocks, and which results there are.
std::vector<int> blocks_of(const v1::CostGraph& message) {
  const plan::CostGraph costs = plan::make_cost_graph(message, "random");
  std::vector<graph::TensorRole> roles(costs.graph.tensors().size());
  for (const auto& output : costs.outputs) roles[output.tensor].result = true;
  return graph::lossless_blocks(costs.graph, roles);
}

TEST(ReductionProperty, SomeBestPlacementKeepsEveryBlockOnOneTier) {
  int merged_atoms = 0;
  int all_atoms = 0;
  int cases = 0;
  for (unsigned seed = first_seed(); seed < first_seed() + kGraphs; ++seed) {
    SCOPED_TRACE("reproduce with ADAMEC_SEED=" + std::to_string(seed));
    Random random(seed);
    v1::CostGraph message = network(random, pick(random, 2, 10));
    set_endpoints(random, message);
    set_context(random, message);
    const std::vector<int> blocks = blocks_of(message);
    const int count = *std::max_element(blocks.begin(), blocks.end()) + 1;
    all_atoms += message.atoms_size();
    merged_atoms += message.atoms_size() - count;
    for (int context = 0; context < kContexts; ++context, ++cases) {
      set_context(random, message);
      const Simulator simulator(message);
      double best = simulator.best_ms();
      double best_of_blocks = Simulator::kImpossible;
      for (std::uint32_t placement = 0; placement < 1u << count; ++placement) {
        std::uint32_t atoms = 0;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
          atoms |= (placement >> blocks[i] & 1) << i;
        }
        best_of_blocks = std::min(best_of_blocks, simulator.latency_ms(atoms));
      }
      ASSERT_LE(best_of_blocks, best + kTolerance * (1 + best)) << message.ShortDebugString();
      if (context > 0) continue;
      // The planner finds the same on the merged graph, which is a cost graph again.
      const plan::CostGraph costs = plan::make_cost_graph(merge_costs(message, blocks), "merged");
      const plan::Evaluator evaluator(costs);
      ASSERT_NEAR(plan::find_optimal(evaluator).evaluation.latency_ms, best,
                  kTolerance * (1 + best));
    }
  }
  EXPECT_GE(merged_atoms * 8, all_atoms);  // the graphs are worth their name
  std::cout << "seeds " << first_seed() << " to " << first_seed() + kGraphs - 1 << ": " << cases
            << " contexts, " << all_atoms << " atoms in " << all_atoms - merged_atoms
            << " blocks\n";
}

// How close the blocks come to the coarsest that are possible: atoms of two blocks are told apart
// by the best placement of some context. Latencies are 0; among the best placements the one that
// keeps most on the edge counts.
TEST(ReductionProperty, MostBlocksCannotBeMergedFurther) {
  int neighbours = 0;
  int separated = 0;
  for (unsigned seed = first_seed(); seed < first_seed() + kGraphs; ++seed) {
    Random random(seed);
    v1::CostGraph message = network(random, pick(random, 2, 9));
    set_endpoints(random, message);
    for (auto& input : *message.mutable_inputs()) input.set_tier("device");
    for (auto& output : *message.mutable_outputs()) output.set_tier("device");
    set_context(random, message);
    const std::vector<int> blocks = blocks_of(message);
    // Every set that some atoms' infinite gain makes the best, for bandwidths of many ratios.
    std::set<std::uint32_t> best_sets;
    for (auto& link : *message.mutable_links()) link.set_latency_ms(0);
    for (auto& atom : *message.mutable_atoms()) {
      for (int tier = 0; tier < 2; ++tier) atom.set_latency_ms(tier, 0);
    }
    for (double ratio = 1e-4; ratio < 2e4; ratio *= 3) {
      message.mutable_links(0)->set_bytes_per_second(1000);
      message.mutable_links(1)->set_bytes_per_second(1000 * ratio);
      const Simulator simulator(message);
      std::vector<double> costs;
      for (std::uint32_t set = 0; set < 1u << blocks.size(); ++set) {
        costs.push_back(simulator.latency_ms(set));
      }
      for (std::uint32_t set = 0; set < costs.size(); ++set) {
        bool closed = true;
        for (std::uint32_t more = set; closed && more + 1 < costs.size();) {
          more = (more + 1) | set;
          closed = more == set || costs[more] > costs[set] * (1 + kTolerance);
        }
        if (closed) best_sets.insert(set);
      }
    }
    for (const auto& atom : message.atoms()) {
      for (const auto& next : message.atoms()) {
        const int a = std::atoi(atom.id().c_str() + 1);
        const int b = std::atoi(next.id().c_str() + 1);
        const auto& outputs = atom.outputs();
        const bool feeds =
            std::any_of(next.inputs().begin(), next.inputs().end(), [&](const std::string& id) {
              return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
            });
        if (!feeds || blocks[a] == blocks[b]) continue;
        ++neighbours;
        separated += std::any_of(best_sets.begin(), best_sets.end(), [&](std::uint32_t set) {
          return (set >> a & 1) != (set >> b & 1);
        });
      }
    }
  }
  std::cout << separated << " of " << neighbours
            << " pairs of neighbours in different blocks are separated by a best placement\n";
  EXPECT_GE(separated * 100, neighbours * 90);
}

}  // namespace
}  // namespace adamec::testing
