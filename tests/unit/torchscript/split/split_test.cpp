// Real networks: those committed in models/, and the whole zoo where it has been exported.
#include "adamec/torchscript/split/split.h"
#include "adamec/torchscript/run/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "adamec/base/error.h"
#include "adamec/torchscript/load/load.h"
#include "adamec/torchscript/run/execute.h"
#include "tests/unit/torchscript/split/split_source.h"
#include "tests/unit/torchscript/zoo_files.h"

namespace adamec::testing {
namespace {

torchscript::SplitResult split_file(const std::string& path, const std::vector<std::string>& inputs,
                                    const std::vector<std::string>& libraries = {}) {
  torchscript::SplitOptions options;
  options.model = path;
  options.inputs = inputs;
  options.libraries = libraries;
  return torchscript::split_model(options);
}

class Zoo : public ::testing::TestWithParam<ZooFile> {};

TEST_P(Zoo, IsCutIntoOperatorsBitIdentically) {
  const auto result = split_file(GetParam().path, GetParam().inputs, GetParam().libraries);
  EXPECT_TRUE(result.warnings.empty()) << result.warnings.front();
  EXPECT_GE(result.manifest.atoms_size(), GetParam().atoms);
  for (const auto& atom : result.manifest.atoms()) {
    if (atom.kind() == v1::OPERATOR || atom.kind() == v1::VIEW) {
      EXPECT_EQ(atom.operators_size(), 1) << atom.id();
    } else {
      EXPECT_THAT(GetParam().kinds, ::testing::Contains(v1::AtomKind_Name(atom.kind())))
          << atom.id();
    }
  }
}

// adamec-split verifies on the inputs it specialised for; a value folded by mistake would show only
// on others.
TEST_P(Zoo, GivesTheSameForOtherInputs) {
  const auto result = split_file(GetParam().path, GetParam().inputs, GetParam().libraries);
  const auto model = torchscript::load_model(GetParam().path);
  const auto arguments =
      torchscript::example_arguments(model.module, "forward", GetParam().inputs, "", /*seed=*/99);
  std::map<std::string, std::string_view> records;
  for (const auto& record : result.records) records[record.name] = record.bytes;
  torchscript::AtomExecutor executor(
      result.manifest, [&](const std::string& name) { return records.at(name); }, false);
  executor.run(arguments);
  const at::NoGradGuard no_grad;
  EXPECT_EQ(executor.difference(model.module.get_method("forward")(arguments)), "");
}

TEST_P(Zoo, DoesNotGrow) {
  const auto result = split_file(GetParam().path, GetParam().inputs, GetParam().libraries);
  std::uint64_t weights = 0;
  std::uint64_t bytes = 0;
  for (const auto& atom : result.manifest.atoms()) weights += atom.weight_bytes();
  for (const auto& tensor : result.manifest.tensors()) {
    if (tensor.role() == v1::WEIGHT) weights += tensor.bytes();
  }
  for (const auto& record : result.records) bytes += record.bytes.size();
  EXPECT_LE(bytes, weights + weights / 100 + 4096u * result.records.size());
  EXPECT_LE(weights, result.manifest.model_bytes());
}

INSTANTIATE_TEST_SUITE_P(All, Zoo, ::testing::ValuesIn(zoo_files()), zoo_case_name);

torchscript::SplitResult split_method(const std::string& method, const std::string& input) {
  torchscript::SplitOptions options;
  options.model = source_path("models/codec.scripted.pt");
  options.inputs = {input};
  options.method = method;
  return torchscript::split_model(options);
}

TEST(Split, CutsTheMethodThatIsAskedFor) {
  EXPECT_EQ(operators(split_method("encode", "float32[1,3,32,32]")),
            "aten::conv2d aten::relu aten::conv2d");
  EXPECT_EQ(operators(split_method("decode", "float32[1,8,8,8]")),
            "aten::conv_transpose2d aten::relu aten::conv_transpose2d aten::sigmoid");
  try {
    split_method("encoder", "float32[1,3,32,32]");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), ::testing::AllOf(::testing::HasSubstr("'forward'"),
                                               ::testing::HasSubstr("'encode'"),
                                               ::testing::HasSubstr("'decode'")));
  }
}

TEST(Split, ATiedTableIsStoredOnce) {
  for (const char* form : {"traced", "scripted"}) {
    const auto result =
        split_file(source_path(fmt::format("models/tied_encoder_small.{}.pt", form)),
                   {"int64[1,16]<600", "int64[1,16]<2"});
    std::vector<std::string> readers;
    for (const auto& tensor : result.manifest.tensors()) {
      if (tensor.role() != v1::WEIGHT) continue;
      EXPECT_EQ(tensor.bytes(), 600u * 48 * 4) << tensor.id();
      for (const auto& atom : result.manifest.atoms()) {
        const auto& inputs = atom.inputs();
        if (std::find(inputs.begin(), inputs.end(), tensor.id()) == inputs.end()) continue;
        readers.push_back(atom.operators(0).name());
      }
    }
    EXPECT_THAT(readers, ::testing::ElementsAre("aten::embedding", "aten::linear")) << form;
  }
}

TEST(Split, IsDeterministic) {
  const auto path = source_path("models/health_cnn_lstm.scripted.pt");
  const auto first = split_file(path, {"float32[1,6,128]"});
  const auto second = split_file(path, {"float32[1,6,128]"});
  EXPECT_EQ(first.manifest.SerializeAsString(), second.manifest.SerializeAsString());
  ASSERT_EQ(first.records.size(), second.records.size());
  for (std::size_t i = 0; i < first.records.size(); ++i) {
    EXPECT_EQ(first.records[i].bytes, second.records[i].bytes) << first.records[i].name;
  }
}

TEST(Split, AtomsAreTorchScriptFilesThatStandAlone) {
  const auto result =
      split_file(source_path("models/squeezenet1_1_small.traced.pt"), {"float32[1,3,224,224]"});
  const auto& atom = result.manifest.atoms(0);
  EXPECT_EQ(atom.operators(0).name(), "aten::_convolution");
  auto module = torchscript::load_record(result.records.at(0).bytes);
  const auto output = module.forward({torch::ones({1, 3, 224, 224})}).toTensor();
  EXPECT_EQ(output.sizes().vec(), (std::vector<std::int64_t>{1, 64, 111, 111}));
  EXPECT_EQ(module.buffers().size(), 2u);  // weight and bias
}

TEST(Split, DescribesConvolutions) {
  const auto result =
      split_file(source_path("models/mobilenet_v2_w25.traced.pt"), {"float32[1,3,224,224]"});
  const auto& atom = result.manifest.atoms(0);
  EXPECT_EQ(atom.id(), "features.0.0._convolution");
  const auto& op = atom.operators(0);
  EXPECT_EQ(op.macs(), 8u * 112 * 112 * 27);
  EXPECT_FALSE(op.backend_one_thread().empty());
  EXPECT_FALSE(op.backend_many_threads().empty());
  std::map<std::string, const v1::Argument*> arguments;
  for (const auto& argument : op.arguments()) arguments[argument.name()] = &argument;
  EXPECT_TRUE(arguments.at("weight")->weight());
  EXPECT_FALSE(arguments.at("input")->weight());
  EXPECT_EQ(arguments.at("stride")->literal(), "[2, 2]");
  EXPECT_EQ(arguments.at("stride")->numbers(1), 2);
  EXPECT_EQ(arguments.at("bias")->literal(), "None");
  // At least its result was allocated while it ran.
  EXPECT_GE(atom.peak_activation_bytes(), 8u * 112 * 112 * 4);
}

// torch.save knows no element types: lists and dicts come back as lists and dicts of anything.
TEST(Split, TakesNestedArgumentsFromAFile) {
  const TemporaryFolder folder;
  torch::jit::Module module("Model");
  module.define(R"(
def forward(self, xs: List[Tensor], named: Dict[str, Tensor], pair: Tuple[Tensor, int]):
    return [x + named["a"] for x in xs], pair[0] * pair[1]
)");
  module.save(folder.path("m.pt"));
  c10::impl::GenericList list(c10::AnyType::get());
  list.push_back(torch::ones({2}));
  list.push_back(torch::zeros({2}));
  c10::impl::GenericDict dict(c10::AnyType::get(), c10::AnyType::get());
  dict.insert("a", torch::ones({2}));
  dict.insert("b", torch::ones({3}));
  const auto pair = c10::ivalue::Tuple::create({torch::ones({4}), std::int64_t{3}});
  const auto bytes = torch::jit::pickle_save(c10::ivalue::Tuple::create({list, dict, pair}));
  folder.write("inputs.pt", std::string(bytes.begin(), bytes.end()));
  torchscript::SplitOptions options;
  options.model = folder.path("m.pt");
  options.inputs_from = folder.path("inputs.pt");
  const auto result = torchscript::split_model(options);
  EXPECT_EQ(result.manifest.atoms_size(), 3);
  EXPECT_EQ(result.manifest.inputs(0).value().list().items_size(), 2);
  EXPECT_EQ(result.manifest.inputs(1).value().dict().keys(0), "a");
  EXPECT_EQ(result.manifest.inputs(2).value().tuple().items(1).int_value(), 3);
}

TEST(Corpus, VoiceActivityDetectorRunsWithItsState) {
  const std::string path = source_path("../shared/corpus/silero_vad.jit");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: " << path << " is not there";
  const auto result = split_file(path, {"float32[1,512]", "int=16000"});
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_GE(result.manifest.atoms_size(), 20);
  int states = 0;
  for (const auto& tensor : result.manifest.tensors()) states += tensor.role() == v1::STATE ? 1 : 0;
  EXPECT_EQ(states, 4);
  int free = 0;
  for (const auto& atom : result.manifest.atoms()) free += atom.stateful() ? 0 : 1;
  EXPECT_GE(free, 20);
}

}  // namespace
}  // namespace adamec::testing
