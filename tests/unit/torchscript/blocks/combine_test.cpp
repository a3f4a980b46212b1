// Blocks: what is refused, what they hold, and the forms they come in.
#include "adamec/torchscript/blocks/combine.h"
#include "adamec/torchscript/run/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "adamec/archive/manifest.h"
#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/torchscript/blocks/optimize.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/run/execute.h"
#include "tests/unit/torchscript/split/split_source.h"

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

TEST(CombineErrors, ASetThatIsNotConvexNamesThePath) {
  const CutModel model("health_cnn_lstm.scripted.pt", "float32[1,6,128]");
  const archive::Reader archive = model.archive();
  const std::vector<int> atoms{0, 2};
  try {
    static_cast<void>(torchscript::combine(archive, atoms));
    FAIL() << "accepted";
  } catch (const Error& error) {
    const std::string path = archive.manifest().atoms(0).id() + " -> " +
                             archive.manifest().atoms(1).id() + " -> " +
                             archive.manifest().atoms(2).id();
    EXPECT_THAT(error.what(), ::testing::HasSubstr(path));
  }
  EXPECT_THROW(static_cast<void>(torchscript::combine(archive, {})), Error);
}

std::set<std::string> operators_of(const torch::jit::Module& module) {
  std::set<std::string> names;
  for (const auto* node : module.get_method("forward").graph()->nodes()) {
    names.insert(node->kind().toQualString());
  }
  return names;
}

// Activations are written over what a block has made itself, never over what comes from outside or
// is looked at again.
TEST(Combine, WritesInPlaceWhereNobodyElseLooks) {
  const CutModel model("health_cnn_lstm.scripted.pt", "float32[1,6,128]");
  const archive::Reader archive = model.archive();
  std::vector<int> all(archive.manifest().atoms_size());
  std::iota(all.begin(), all.end(), 0);
  const auto whole =
      operators_of(torchscript::load_record(torchscript::combine(archive, all).record));
  EXPECT_TRUE(whole.count("aten::relu_") != 0);
  EXPECT_TRUE(whole.count("aten::relu") == 0);
  int first = 0;
  while (archive.manifest().atoms(first).operators(0).name() != "aten::relu") ++first;
  std::vector<int> rest(all.begin() + first, all.end());
  const auto block =
      operators_of(torchscript::load_record(torchscript::combine(archive, rest).record));
  EXPECT_TRUE(block.count("aten::relu") != 0);
  std::vector<int> until(all.begin(), all.begin() + first);
  until.push_back(first);
  EXPECT_TRUE(operators_of(torchscript::load_record(torchscript::combine(archive, until).record))
                  .count("aten::relu_") != 0);
}

TEST(Combine, DoesNotWriteOverWhatIsUsedTwice) {
  const auto result = split_source(R"(
def forward(self, x):
  y = x * 2
  return torch.relu(y) + torch.sigmoid(torch.tanh(y))
)",
                                   {"float32[8]"});
  std::map<std::string, std::string_view> records;
  for (const auto& record : result.records) records[record.name] = record.bytes;
  const auto graph = archive::check_manifest(result.manifest, "m");
  const torchscript::AtomSource source{result.manifest, graph, "m",
                                       [&](const std::string& name) { return records.at(name); }};
  const std::vector<int> all{0, 1, 2, 3, 4};
  const auto names =
      operators_of(torchscript::load_record(torchscript::combine(source, all, {}).record));
  EXPECT_EQ(names.count("aten::relu_"), 0u);
  EXPECT_EQ(names.count("aten::tanh_"), 0u);
  EXPECT_EQ(names.count("aten::sigmoid_"), 1u);
}

TEST(CombineForms, NamedAndFrozenAreBitIdenticalOptimizedIsClose) {
  const CutModel model("mobilenet_v2_w25.traced.pt", "float32[1,3,224,224]");
  const archive::Reader archive = model.archive();
  std::vector<int> all(static_cast<std::size_t>(archive.manifest().atoms_size()));
  std::iota(all.begin(), all.end(), 0);
  const at::NoGradGuard no_grad;
  const auto block = [&](torchscript::BlockForm form) {
    torchscript::BlockOptions options;
    options.form = form;
    return torchscript::load_record(torchscript::combine(archive, all, options).record);
  };
  auto named = block(torchscript::BlockForm::kNamedWeights);
  EXPECT_GT(named.buffers().size(), 100u);
  EXPECT_TRUE(
      torchscript::bit_identical(named.forward({model.input()}).toTensor(), model.expected()));
  auto frozen = block(torchscript::BlockForm::kFrozen);
  EXPECT_EQ(frozen.buffers().size(), 0u);
  EXPECT_EQ(operators_of(frozen).count("aten::batch_norm"), 1u);
  EXPECT_TRUE(
      torchscript::bit_identical(frozen.forward({model.input()}).toTensor(), model.expected()));
  auto optimized = block(torchscript::BlockForm::kOptimized);
  EXPECT_EQ(operators_of(optimized).count("aten::batch_norm"), 0u);  // folded into convolutions
  EXPECT_TRUE(
      at::allclose(optimized.forward({model.input()}).toTensor(), model.expected(), 1e-3, 1e-4));
  auto fastest = torchscript::optimize_for_machine(std::move(optimized));
  EXPECT_TRUE(
      at::allclose(fastest.forward({model.input()}).toTensor(), model.expected(), 1e-3, 1e-4));
}

// Why optimize_for_machine() works on what is loaded: its weights in the layout of oneDNN are
// written to a file, but LibTorch does not read them again. The day this fails, kOptimized can hold
// them.
TEST(CombineForms, LibTorchDoesNotReadWhatItOptimizedForTheMachine) {
  const CutModel model("mobilenet_v2_w25.traced.pt", "float32[1,3,224,224]");
  const archive::Reader archive = model.archive();
  const std::vector<int> first{0, 1};
  torchscript::BlockOptions options;
  options.form = torchscript::BlockForm::kOptimized;
  const auto fastest = torchscript::optimize_for_machine(
      torchscript::load_record(torchscript::combine(archive, first, options).record));
  if (operators_of(fastest).count("prim::ConstantMKLDNNTensor") == 0) {
    GTEST_SKIP() << "skipped: this LibTorch has no oneDNN";
  }
  std::ostringstream file;
  fastest.save(file);
  std::istringstream written(file.str());
  EXPECT_ANY_THROW(torch::jit::load(written));
}

TEST(CombineState, AttributesThatNestedBlocksReadOrWriteMoveAlong) {
  const TemporaryFolder folder;
  auto result = split_source(R"(
def forward(self, x):
    y = x + 1
    if bool(x.sum() > 0):
        y = y * self.factor
    return y * 2
)",
                             {"float32[3]"}, [](torch::jit::Module& module) {
                               module.register_parameter("factor", torch::full({3}, 5.0), false);
                             });
  ASSERT_GE(result.manifest.atoms_size(), 2);
  OutputFile file(folder.path("m.atoms"));
  archive::write_archive(file, result.manifest, std::move(result.records));
  file.commit();
  const auto archive = archive::Reader::open(folder.path("m.atoms"));
  std::vector<int> all(static_cast<std::size_t>(archive.manifest().atoms_size()));
  std::iota(all.begin(), all.end(), 0);
  auto block = torchscript::load_record(torchscript::combine(archive, all).record);
  EXPECT_TRUE(block.forward({torch::ones({3})}).toTensor().equal(torch::full({3}, 20.0)));
  EXPECT_TRUE(block.forward({-torch::ones({3})}).toTensor().equal(torch::zeros({3})));
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
  const torchscript::BlockModule block = torchscript::combine(archive, all);
  EXPECT_EQ(block.inputs, std::vector<std::string>{"ids"});
  EXPECT_LT(block.record.size(), 100u * 64 * 4 * 5 / 4);
}

}  // namespace
}  // namespace adamec::testing
