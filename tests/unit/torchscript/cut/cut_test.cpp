// Blocks on real networks: random convex partitions, run block by block, are bit-identical to the
// model. ADAMEC_PARTITIONS=1000 spreads that many over all files of the zoo that are there
// (scripts/bench blocks).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "adamec/archive/manifest.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/run/execute.h"
#include "adamec/torchscript/split/merge.h"
#include "tests/unit/torchscript/split/split_source.h"
#include "tests/unit/torchscript/zoo_files.h"

namespace adamec::testing {
namespace {

constexpr std::size_t kFewPartitions = 120;  // over all files, when nothing else is asked for

// A random topological order cut into consecutive pieces: each piece is convex.
std::vector<std::vector<int>> random_partition(const graph::AtomGraph& graph,
                                               std::mt19937& random) {
  const int atoms = static_cast<int>(graph.atoms().size());
  std::vector<std::size_t> waiting(atoms);
  std::vector<int> ready;
  for (int i = 0; i < atoms; ++i) {
    waiting[i] = graph.predecessors(i).size();
    if (waiting[i] == 0) ready.push_back(i);
  }
  const int pieces = std::uniform_int_distribution<>(1, std::max(2, atoms / 4))(random);
  std::vector<std::vector<int>> partition(1);
  while (!ready.empty()) {
    std::swap(ready[std::uniform_int_distribution<std::size_t>(0, ready.size() - 1)(random)],
              ready.back());
    const int atom = ready.back();
    ready.pop_back();
    if (!partition.back().empty() && std::uniform_int_distribution<>(1, atoms)(random) < pieces) {
      partition.emplace_back();
    }
    partition.back().push_back(atom);
    for (const int next : graph.successors(atom)) {
      if (--waiting[next] == 0) ready.push_back(next);
    }
  }
  return partition;
}

// How many partitions of this file to try.
int partitions(std::size_t file, std::size_t files) {
  const char* text = std::getenv("ADAMEC_PARTITIONS");
  const auto total =
      text == nullptr ? kFewPartitions : static_cast<std::size_t>(std::max(1, std::atoi(text)));
  return static_cast<int>(total * (file + 1) / files - total * file / files);
}

class Partitions : public ::testing::TestWithParam<ZooFile> {};

TEST_P(Partitions, RunBitIdentically) {
  const std::vector<ZooFile> files = zoo_files();
  std::size_t number = 0;
  while (files[number].path != GetParam().path) ++number;
  torchscript::SplitOptions options;
  options.model = GetParam().path;
  options.inputs = GetParam().inputs;
  options.libraries = GetParam().libraries;
  const torchscript::SplitResult cut = torchscript::split_model(options);
  const auto graph = archive::check_manifest(cut.manifest, "cut");
  const auto model = torchscript::load_model(GetParam().path);
  const auto arguments =
      torchscript::example_arguments(model.module, "forward", GetParam().inputs, "", /*seed=*/3);
  const at::NoGradGuard no_grad;
  const c10::IValue expected = model.module.get_method("forward")(arguments);
  const int count = partitions(number, files.size());
  std::size_t blocks = 0;
  for (int seed = 0; seed < count; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    const auto partition = random_partition(graph, random);
    const auto form =
        seed % 2 == 0 ? torchscript::BlockForm::kNamedWeights : torchscript::BlockForm::kFrozen;
    const auto merged = torchscript::merge_atoms(cut, partition, form);
    std::map<std::string, std::string_view> records;
    for (const auto& record : merged.records) records[record.name] = record.bytes;
    torchscript::AtomExecutor executor(
        merged.manifest, [&](const std::string& name) { return records.at(name); }, false);
    executor.run(arguments);
    ASSERT_EQ(executor.difference(expected), "");
    blocks += partition.size();
  }
  std::cout << count << " partitions of " << cut.manifest.model_name() << " into " << blocks
            << " blocks, each bit-identical\n";
}

INSTANTIATE_TEST_SUITE_P(All, Partitions, ::testing::ValuesIn(zoo_files()), zoo_case_name);

}  // namespace
}  // namespace adamec::testing
