// Lossless blocks of real networks: bit-identical, and planning on them finds the same optimum.
#include "adamec/torchscript/split/merge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <random>
#include <set>

#include "adamec/archive/cuts.h"
#include "adamec/archive/manifest.h"
#include "adamec/archive/value.h"
#include "adamec/plan/search/branch_and_bound.h"
#include "adamec/plan/search/relaxation.h"
#include "tests/unit/plan/search/merge_costs.h"
#include "tests/unit/torchscript/split/split_source.h"
#include "tests/unit/torchscript/zoo_files.h"

namespace adamec::testing {
namespace {

torchscript::SplitResult split_file(const ZooFile& file, torchscript::Granularity granularity) {
  torchscript::SplitOptions options;
  options.model = file.path;
  options.inputs = file.inputs;
  options.libraries = file.libraries;
  options.granularity = granularity;
  return torchscript::split_model(options);
}

class LosslessBlocks : public ::testing::TestWithParam<ZooFile> {};

TEST_P(LosslessBlocks, HoldEveryAtomOnce) {
  const auto operators = split_file(GetParam(), torchscript::Granularity::kOperator).manifest;
  const auto result = split_file(GetParam(), torchscript::Granularity::kBlock);  // verified
  const auto& blocks = result.manifest;
  EXPECT_LT(blocks.atoms_size(), operators.atoms_size());
  EXPECT_EQ(blocks.reduction().operator_atoms(), operators.atoms_size());
  EXPECT_EQ(blocks.reduction().assumptions_size(), 4);
  std::multiset<std::string> atoms, members;
  std::uint64_t operator_macs = 0, block_macs = 0;
  for (const auto& atom : operators.atoms()) {
    atoms.insert(atom.id());
    operator_macs += atom.macs();
  }
  for (const auto& block : blocks.atoms()) {
    if (block.members_size() == 0) members.insert(block.id());
    members.insert(block.members().begin(), block.members().end());
    block_macs += block.macs();
    EXPECT_NE(block.members_size(), 1);
  }
  EXPECT_EQ(atoms, members);
  EXPECT_EQ(operator_macs, block_macs);
  // Blocks are what they are: merging again changes nothing.
  const auto graph = archive::check_manifest(blocks, "blocks");
  EXPECT_EQ(archive::possible_cuts(blocks, graph).block_count, blocks.atoms_size());
}

// The cost graph of a manifest in a random context where the edge is never slower.
v1::CostGraph random_costs(const v1::Manifest& manifest, std::mt19937& random) {
  const auto real = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  v1::CostGraph costs;
  for (const char* name : {"device", "edge"}) costs.add_tiers()->set_name(name);
  for (int from = 0; from < 2; ++from) {
    auto* link = costs.add_links();
    link->set_from(costs.tiers(from).name());
    link->set_to(costs.tiers(1 - from).name());
    link->set_bytes_per_second(std::pow(10, real(4, 9)));
    link->set_latency_ms(real(0, 1) < 0.3 ? 0 : std::pow(10, real(-2, 1.5)));
  }
  std::set<std::string> travelling;
  for (const auto& tensor : manifest.tensors()) {
    if (tensor.role() != v1::INPUT && tensor.role() != v1::INTERMEDIATE) continue;
    travelling.insert(tensor.id());
    auto* added = costs.add_tensors();
    added->set_id(tensor.id());
    added->set_bytes(tensor.bytes());
    if (tensor.role() != v1::INPUT) continue;
    auto* input = costs.add_inputs();
    input->set_tensor(tensor.id());
    input->set_tier("device");
  }
  for (const auto& atom : manifest.atoms()) {
    auto* added = costs.add_atoms();
    added->set_id(atom.id());
    for (const auto& input : atom.inputs()) {
      if (travelling.count(input) != 0) added->add_inputs(input);
    }
    for (const auto& output : atom.outputs()) added->add_outputs(output);
    const double device = 0.01 + static_cast<double>(atom.macs()) / 1e6;
    added->add_latency_ms(device);
    added->add_latency_ms(device * real(0, 1));
  }
  std::set<std::string> results;
  const bool anywhere = real(0, 1) < 0.2;
  for (const auto& id : archive::tensors_of(manifest.output())) {
    if (!results.insert(id).second) continue;
    auto* output = costs.add_outputs();
    output->set_tensor(id);
    if (!anywhere) output->set_tier("device");
  }
  return costs;
}

TEST_P(LosslessBlocks, AreAllThatPlanningNeeds) {
  const auto manifest = split_file(GetParam(), torchscript::Granularity::kOperator).manifest;
  const auto cuts = archive::possible_cuts(manifest, archive::check_manifest(manifest, "cut"));
  int proven = 0;
  constexpr int kContexts = 20;
  for (unsigned seed = 0; seed < kContexts; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const v1::CostGraph message = random_costs(manifest, random);
    const plan::CostGraph full = plan::make_cost_graph(message, "full");
    const plan::CostGraph merged =
        plan::make_cost_graph(merge_costs(message, cuts.blocks), "merged");
    const plan::Evaluator full_evaluator(full);
    const plan::Evaluator merged_evaluator(merged);
    // The minimum cut, which leaves moves out, ...
    plan::Relaxation full_cut(full_evaluator);
    plan::Relaxation merged_cut(merged_evaluator);
    const double cut = full_cut.solve(plan::initial_pins(full_evaluator)).cost;
    EXPECT_NEAR(merged_cut.solve(plan::initial_pins(merged_evaluator)).cost, cut, 1e-9 * cut);
    // ... and the whole cost, wherever both are proven optimal.
    const plan::Plan full_plan = plan::find_optimal(full_evaluator);
    const plan::Plan merged_plan = plan::find_optimal(merged_evaluator);
    if (full_plan.gap > 0 || merged_plan.gap > 0) continue;
    ++proven;
    EXPECT_NEAR(merged_plan.evaluation.latency_ms, full_plan.evaluation.latency_ms,
                1e-9 * full_plan.evaluation.latency_ms);
  }
  EXPECT_GT(proven, kContexts / 2);
  std::cout << manifest.model_name() << ": " << manifest.atoms_size() << " atoms, "
            << cuts.block_count << " blocks: same minimum cut in " << kContexts
            << " contexts, same plan in the " << proven << " where both are proven optimal\n";
}

INSTANTIATE_TEST_SUITE_P(All, LosslessBlocks, ::testing::ValuesIn(zoo_files()), zoo_case_name);

// Two blocks read one weight, so it stays a file of its own; one that only a block needs moves in.
TEST(Merge, WeightsMoveIntoTheOnlyBlockThatNeedsThem) {
  const auto tied =
      split_source(R"(
def forward(self, ids: Tensor):
    a = torch.matmul(torch.embedding(self.table, ids), self.table.t())
    return torch.relu(a)
)",
                   {"int64[1,5]<100"}, [](torch::jit::Module& module) {
                     module.register_parameter("table", torch::randn({100, 64}), false);
                   });
  const auto weights = [](const torchscript::SplitResult& result) {
    int count = 0;
    for (const auto& tensor : result.manifest.tensors()) count += tensor.role() == v1::WEIGHT;
    return count;
  };
  ASSERT_EQ(weights(tied), 1);
  std::vector<int> all(static_cast<std::size_t>(tied.manifest.atoms_size()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  const auto whole = torchscript::merge_atoms(tied, {all});
  EXPECT_EQ(weights(whole), 0);
  EXPECT_EQ(whole.records.size(), 1u);
  EXPECT_EQ(whole.manifest.atoms(0).weight_bytes(), 100u * 64 * 4);
  std::vector<std::vector<int>> apart{{all.front()}};
  apart.emplace_back(all.begin() + 1, all.end());
  const auto two = torchscript::merge_atoms(tied, apart);
  EXPECT_EQ(weights(two), 1);
  EXPECT_EQ(two.manifest.atoms(1).weight_bytes(), 0u);
}

TEST(Merge, BlocksWithBranchesOrRandomNumbersSaySo) {
  const auto result = split_source(R"(
def forward(self, x):
    y = torch.relu(x)
    if bool(x.sum() > 0):
        y = y * 2
    return torch.rand_like(y) + y
)",
                                   {"float32[8]"});
  std::vector<int> all(static_cast<std::size_t>(result.manifest.atoms_size()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  const auto whole = torchscript::merge_atoms(result, {all});
  EXPECT_EQ(whole.manifest.atoms(0).kind(), v1::CONTROL_FLOW);
  EXPECT_TRUE(whole.manifest.atoms(0).nondeterministic());
}

}  // namespace
}  // namespace adamec::testing
