// Blocks on real networks: random convex partitions, run block by block, are bit-identical.
#include "adamec/torchscript/combine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/torchscript/execute.h"
#include "adamec/torchscript/load.h"
#include "tests/unit/torchscript/split_source.h"

namespace adamec::testing {
namespace {

// A model of models/, cut, as an archive on disk.
class CutModel {
 public:
  CutModel(const std::string& name, const std::string& input)
      : model_(torchscript::load_model(source_path("models/" + name))) {
    torchscript::SplitOptions options;
    options.model = source_path("models/" + name);
    options.inputs = {input};
    torchscript::SplitResult result = torchscript::split_model(options);
    OutputFile file(folder_.path("m.atoms"));
    archive::write_archive(file, result.manifest, std::move(result.records));
    file.commit();
    arguments_ = torchscript::example_arguments(model_.module, "forward", {input}, "", 3);
    const at::NoGradGuard no_grad;
    expected_ = model_.module.forward(arguments_).toTensor();
  }

  archive::Reader archive() const { return archive::Reader::open(folder_.path("m.atoms")); }
  const at::Tensor& input() const { return arguments_[0].toTensor(); }
  const at::Tensor& expected() const { return expected_; }

 private:
  TemporaryFolder folder_;
  torchscript::LoadedModel model_;
  std::vector<c10::IValue> arguments_;
  at::Tensor expected_;
};

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
  const int pieces = std::uniform_int_distribution<>(1, 6)(random);
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

at::Tensor run_blocks(const archive::Reader& archive, const std::vector<std::vector<int>>& blocks,
                      const at::Tensor& input, bool frozen) {
  const at::NoGradGuard no_grad;
  const v1::Manifest& manifest = archive.manifest();
  std::unordered_map<std::string, at::Tensor> tensors;
  tensors[manifest.inputs(0).value().tensor()] = input;
  for (const auto& atoms : blocks) {
    const torchscript::Block block = torchscript::combine(archive, atoms, frozen);
    std::vector<c10::IValue> arguments;
    for (const std::string& id : block.inputs) arguments.emplace_back(tensors.at(id));
    const c10::IValue result = torchscript::load_record(block.record).forward(arguments);
    for (std::size_t i = 0; i < block.outputs.size(); ++i) {
      tensors[block.outputs[i]] = block.outputs.size() == 1
                                      ? result.toTensor()
                                      : result.toTupleRef().elements().at(i).toTensor();
    }
  }
  return tensors.at(manifest.output().tensor());
}

class Combine : public ::testing::TestWithParam<std::tuple<const char*, const char*, int>> {};

TEST_P(Combine, RandomConvexPartitionsAreBitIdentical) {
  const auto [name, input, partitions] = GetParam();
  const CutModel model(name, input);
  const archive::Reader archive = model.archive();
  for (int seed = 0; seed < partitions; ++seed) {
    std::mt19937 random(seed);
    const auto blocks = random_partition(archive.graph(), random);
    const at::Tensor result = run_blocks(archive, blocks, model.input(), seed % 2 == 1);
    EXPECT_TRUE(torchscript::bit_identical(result, model.expected()))
        << "seed " << seed << ", " << blocks.size() << " blocks";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Combine,
    ::testing::Values(std::tuple("health_cnn_lstm.scripted.pt", "float32[1,6,128]", 300),
                      std::tuple("squeezenet10.traced.pt", "float32[1,3,224,224]", 40),
                      std::tuple("mobilenet_v2_w25.traced.pt", "float32[1,3,224,224]", 15)));

TEST(CombineErrors, ASetThatIsNotConvexNamesThePath) {
  const CutModel model("health_cnn_lstm.scripted.pt", "float32[1,6,128]");
  const archive::Reader archive = model.archive();
  const std::vector<int> atoms{0, 2};
  try {
    torchscript::combine(archive, atoms);
    FAIL() << "accepted";
  } catch (const Error& error) {
    const std::string path = archive.manifest().atoms(0).id() + " -> " +
                             archive.manifest().atoms(1).id() + " -> " +
                             archive.manifest().atoms(2).id();
    EXPECT_THAT(error.what(), ::testing::HasSubstr(path));
  }
  EXPECT_THROW(torchscript::combine(archive, {}), Error);
}

TEST(CombineWeights, ASharedWeightIsInTheBlockOnce) {
  const TemporaryFolder folder;
  auto result = split_source(R"(
def forward(self, ids: Tensor):
    return torch.matmul(torch.embedding(self.table, ids), self.table.t())
)",
                             {"int64[1,5]<100"}, [](torch::jit::Module& module) {
                               module.register_parameter("table", torch::randn({100, 64}), false);
                             });
  OutputFile file(folder.path("m.atoms"));
  archive::write_archive(file, result.manifest, std::move(result.records));
  file.commit();
  const auto archive = archive::Reader::open(folder.path("m.atoms"));
  const std::vector<int> all{0, 1};
  const torchscript::Block block = torchscript::combine(archive, all);
  EXPECT_EQ(block.inputs, std::vector<std::string>{"ids"});
  EXPECT_LT(block.record.size(), 100u * 64 * 4 * 5 / 4);
}

}  // namespace
}  // namespace adamec::testing
