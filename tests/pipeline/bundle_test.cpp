// Bundles, run by one process per tier that exchange tensors through pipes, give what the model
// itself gives, bit by bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <torch/script.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "adamec/base/file.h"
#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"

namespace adamec::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Json = nlohmann::json;

const char kContext[] = R"(tiers:
  - {name: phone, predictor: host.predictor, slowdown: 8}
  - {name: edge, predictor: host.predictor}
links:
  - {from: phone, to: edge, bandwidth: 20Mbit/s, latency: 1ms}
  - {from: edge, to: phone, bandwidth: 40Mbit/s, latency: 1ms}
input: phone
output: phone
)";

// Numbers as tensors without dimensions.
void flatten(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
  if (value.isTensor()) {
    tensors.push_back(value.toTensor());
  } else if (value.isBool()) {
    tensors.push_back(torch::scalar_tensor(value.toBool(), torch::kBool));
  } else if (value.isInt()) {
    tensors.push_back(torch::scalar_tensor(value.toInt(), torch::kLong));
  } else if (value.isDouble()) {
    tensors.push_back(torch::scalar_tensor(value.toDouble(), torch::kDouble));
  } else if (value.isGenericDict()) {
    for (const auto& item : value.toGenericDict()) flatten(item.value(), tensors);
  } else if (value.isTuple()) {
    for (const c10::IValue& item : value.toTupleRef().elements()) flatten(item, tensors);
  } else if (value.isList()) {
    for (const c10::IValue& item : value.toListRef()) flatten(item, tensors);
  }
}

// A model, cut; plans, bundles and runs of it in a folder of its own.
class Bundled {
 public:
  Bundled(const std::string& model, const std::string& input, c10::IntArrayRef shape,
          std::vector<std::string> tiers = {"phone", "edge"})
      : model_(torch::jit::load(model)), tiers_(std::move(tiers)) {
    model_.eval();
    torch::manual_seed(5);
    input_ = torch::randn(shape);
    save("input.0", input_);
    fs::copy_file(source_path("tests/golden/v1/host.predictor"), folder_.path("host.predictor"));
    const CommandResult cut =
        run("adamec-split " + model + " --input '" + input + "' -o m.atoms --json");
    EXPECT_EQ(cut.exit_code, 0) << cut.err;
    const Json manifest = Json::parse(cut.out);
    for (const Json& atom : manifest.at("atoms")) {
      atoms_.push_back(atom.at("id"));
      if (atom.at("stateful").get<bool>()) stateful_.push_back(atom.at("id"));
    }
    for (const std::string& from : tiers_) {
      for (const std::string& to : tiers_) {
        if (from == to) continue;
        EXPECT_EQ(::mkfifo(folder_.path(from + "-" + to).c_str(), 0600), 0);
      }
    }
  }

  CommandResult run(const std::string& command) { return run_command(command, folder_.path()); }
  const std::vector<std::string>& atoms() const { return atoms_; }
  const std::vector<std::string>& stateful() const { return stateful_; }
  const TemporaryFolder& folder() const { return folder_; }

  Json bundle(const std::string& context, const std::string& options = "") {
    folder_.write("context.yaml", context);
    const CommandResult planned =
        run("adamec-plan m.atoms --context context.yaml -q -o plan.yaml --bundle b " + options);
    EXPECT_EQ(planned.exit_code, 0) << planned.err;
    return Json::parse(folder_.read("b/bundle.json"));
  }

  // Runs the plan by one process per tier, `runs` times, and compares what is on the first tier in
  // the end with the model.
  void expect_equal(int plan, int runs = 1) {
    const std::string runner = std::string(ADAMEC_BIN_DIR) + "/bundle_runner b ";
    const std::string rest = " " + std::to_string(plan) + " . " + std::to_string(runs);
    std::string command = "pids=; ";
    for (const std::string& tier : tiers_) {
      command += "timeout 60 " + runner + tier + rest + " & pids=\"$pids $!\"; ";
    }
    const CommandResult result = run(command + "for pid in $pids; do wait $pid || exit 1; done");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const at::NoGradGuard no_grad;
    torch::jit::Module model = model_.clone();
    for (int number = 0; number < runs; ++number) {
      std::vector<at::Tensor> expected;
      flatten(model.forward({input_}), expected);
      ASSERT_FALSE(expected.empty());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const std::string name =
            tiers_.front() + "." + std::to_string(number) + "." + std::to_string(i);
        ASSERT_TRUE(fs::exists(folder_.path(name))) << name << " of plan " << plan;
        const std::string bytes = folder_.read(name);
        const at::Tensor actual = torch::jit::pickle_load({bytes.begin(), bytes.end()}).toTensor();
        ASSERT_EQ(actual.sizes(), expected[i].sizes());
        ASSERT_EQ(actual.scalar_type(), expected[i].scalar_type());
        EXPECT_TRUE(actual.equal(expected[i])) << name << " of plan " << plan;
        fs::remove(folder_.path(name));
      }
    }
  }

 private:
  void save(const std::string& name, const at::Tensor& tensor) {
    const std::vector<char> bytes = torch::jit::pickle_save(tensor);
    folder_.write(name, {bytes.begin(), bytes.end()});
  }

  TemporaryFolder folder_;
  torch::jit::Module model_;
  std::vector<std::string> tiers_;
  at::Tensor input_;
  std::vector<std::string> atoms_;
  std::vector<std::string> stateful_;
};

// Every atom pinned to a random tier; neighbours stay together with the given probability.
std::string random_pins(const std::vector<std::string>& atoms, std::mt19937& random, double stay,
                        const std::vector<std::string>& tiers = {"phone", "edge"}) {
  std::string pins;
  std::size_t tier = 0;
  for (const std::string& atom : atoms) {
    if (std::uniform_real_distribution<>(0, 1)(random) > stay) {
      tier += 1 + random() % (tiers.size() - 1);
    }
    pins += (pins.empty() ? "" : ", ") + ("\"" + atom + "\": ") + tiers[tier % tiers.size()];
  }
  return "constraints: {pin: {" + pins + "}}\n";
}

struct Model {
  const char* file;
  const char* input;
  std::vector<std::int64_t> shape;
};

class BundleOfModel : public ::testing::TestWithParam<Model> {};

TEST_P(BundleOfModel, RandomPlansRunByTwoProcessesAreBitIdentical) {
  Bundled model(source_path(std::string("models/") + GetParam().file), GetParam().input,
                GetParam().shape);
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const Json bundle =
        model.bundle(kContext + random_pins(model.atoms(), random, seed == 3 ? 0.95 : 0.6));
    // The third seed keeps neighbours together: a block or two may be all.
    EXPECT_GT(bundle.at("plans").at(0).at("blocks").size(), seed == 3 ? 0u : 2u);
    model.expect_equal(0);
  }
}

TEST_P(BundleOfModel, EveryPlanOfAnAtlasIsBitIdenticalAndAtomsAreStoredOnce) {
  Bundled model(source_path(std::string("models/") + GetParam().file), GetParam().input,
                GetParam().shape);
  const Json bundle =
      model.bundle(std::string(kContext) +
                       "atlas: {bandwidth: 0.01Mbit/s..10000Mbit/s, slowdown: {phone: 1..50}}\n",
                   "--atlas");
  ASSERT_GE(bundle.at("plans").size(), 2u);
  std::size_t stored = 0;
  for (const Json& block : bundle.at("blocks")) {
    stored += block.at("atoms").size();
    for (const Json& tier : bundle.at("tiers")) {
      const std::string name = block.at("file");
      const auto& files = tier.at("files");
      if (std::find(files.begin(), files.end(), name) == files.end()) continue;
      const std::string file = "b/" + tier.at("folder").get<std::string>() + "/" + name;
      EXPECT_EQ(sha256_file(model.folder().path(file)), block.at("sha256"));
    }
  }
  EXPECT_EQ(stored, model.atoms().size());
  for (std::size_t plan = 0; plan < bundle.at("plans").size(); ++plan) {
    model.expect_equal(static_cast<int>(plan));
  }
}

std::string model_case(const ::testing::TestParamInfo<Model>& info) {
  std::string name = info.param.file;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Committed, BundleOfModel,
    ::testing::Values(
        Model{"health_cnn_lstm.traced.pt", "float32[1,6,128]", {1, 6, 128}},
        Model{"health_cnn_lstm.scripted.pt", "float32[1,6,128]", {1, 6, 128}},
        Model{"squeezenet1_1_small.traced.pt", "float32[1,3,224,224]", {1, 3, 224, 224}},
        Model{"mobilenet_v2_w25.traced.pt", "float32[1,3,224,224]", {1, 3, 224, 224}}),
    model_case);

// Loops and branches on the content of the input, and a tuple as result.
TEST(Bundle, ControlFlowAndTuplesAreBitIdentical) {
  const TemporaryFolder folder;
  torch::jit::Module module("Flow");
  module.register_parameter("weight", torch::randn({8, 8}), false);
  module.define(R"(
def forward(self, x: Tensor) -> Tuple[Tensor, Tensor]:
    y = torch.relu(torch.matmul(x, self.weight))
    for i in range(int(x.abs().sum()) % 5 + 2):
        y = torch.tanh(torch.matmul(y, self.weight))
    if bool(y.sum() > 0):
        z = torch.sigmoid(y) + 1
    else:
        z = torch.exp(y)
    return torch.softmax(z, 1), torch.matmul(z, y.t())
)");
  module.save(folder.path("flow.pt"));
  Bundled model(folder.path("flow.pt"), "float32[3,8]", {3, 8});
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    model.bundle(kContext + random_pins(model.atoms(), random, 0.4));
    model.expect_equal(0, 2);
  }
}

// A model whose result is numbers, a dict and nested lists.
void save_nested(const std::string& path) {
  torch::jit::Module module("Nested");
  module.register_parameter("weight", torch::randn({8, 8}), false);
  module.define(R"(
def forward(self, x: Tensor) -> Tuple[Dict[str, Tensor], List[List[Tensor]], float, int, bool]:
    y = torch.relu(torch.matmul(x, self.weight))
    z = torch.tanh(torch.matmul(y, self.weight))
    total = float(z.sum().item())
    largest = int(torch.argmax(z.flatten()).item())
    lists = [[y.sum(1), z], [torch.exp(y)]]
    return {"second": z, "first": y}, lists, total, largest, bool((z.sum() > 0).item())
)");
  module.save(path);
}

// Every number, wherever it is made, comes back to where the result is wanted.
TEST(Bundle, NumbersDictsAndNestedListsAreBitIdentical) {
  const TemporaryFolder folder;
  save_nested(folder.path("nested.pt"));
  Bundled model(folder.path("nested.pt"), "float32[3,8]", {3, 8});
  std::string everything_on_the_edge;
  for (const std::string& atom : model.atoms()) {
    everything_on_the_edge += (everything_on_the_edge.empty() ? "\"" : ", \"") + atom + "\": edge";
  }
  const Json bundle = model.bundle(std::string(kContext) + "constraints: {pin: {" +
                                   everything_on_the_edge + "}}\n");
  const Json& output = bundle.at("output").at("tuple");
  EXPECT_EQ(output.at(0).at("keys"), Json::array({"second", "first"}));
  std::vector<std::string> sent;
  for (const Json& step : bundle.at("plans").at(0).at("steps")) {
    if (step.contains("send") && step.at("to") == "phone") sent.push_back(step.at("send"));
  }
  for (int i : {2, 3, 4}) {
    EXPECT_THAT(sent, ::testing::Contains(output.at(i).at("number").get<std::string>()));
  }
  model.expect_equal(0);
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    model.bundle(kContext + random_pins(model.atoms(), random, 0.5));
    model.expect_equal(0, 2);
  }
}

// A phone between two edges: three processes, tensors relayed where no link leads.
TEST(Bundle, TwoEdgesAreBitIdentical) {
  const TemporaryFolder folder;
  save_nested(folder.path("nested.pt"));
  const std::vector<std::string> tiers = {"phone", "edge", "attic"};
  Bundled model(folder.path("nested.pt"), "float32[3,8]", {3, 8}, tiers);
  const std::string context = R"(tiers:
  - {name: phone, predictor: host.predictor, slowdown: 8}
  - {name: edge, predictor: host.predictor}
  - {name: attic, predictor: host.predictor}
links:
  - {from: phone, to: edge, bandwidth: 20Mbit/s, latency: 1ms}
  - {from: edge, to: phone, bandwidth: 40Mbit/s, latency: 1ms}
  - {from: phone, to: attic, bandwidth: 20Mbit/s, latency: 1ms}
  - {from: attic, to: phone, bandwidth: 40Mbit/s, latency: 1ms}
input: phone
output: phone
)";
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const Json bundle = model.bundle(context + random_pins(model.atoms(), random, 0.3, tiers));
    for (const Json& tier : bundle.at("tiers")) EXPECT_FALSE(tier.at("files").empty());
    model.expect_equal(0, 2);
  }
}

// What the model keeps from one run to the next stays on one tier and is carried on by the run
// time.
TEST(Bundle, StateIsKeptFromRunToRun) {
  Bundled model(source_path("models/streamer.scripted.pt"), "float32[1,20]", {1, 20});
  const Json bundle = model.bundle(kContext);
  EXPECT_GE(bundle.at("state").size(), 1u);
  model.expect_equal(0, 4);
  for (const char* tier : {"phone", "edge"}) {
    ASSERT_FALSE(model.stateful().empty());
    model.bundle(std::string(kContext) + "constraints: {pin: {head.linear: phone, \"" +
                 model.stateful().front() + "\": " + tier + "}}\n");
    model.expect_equal(0, 4);
  }
}

TEST(Bundle, FoldersOfOthersAreNotTouchedAndFailuresLeaveNothing) {
  Bundled model(source_path("models/health_cnn_lstm.traced.pt"), "float32[1,6,128]", {1, 6, 128});
  model.folder().write("context.yaml", kContext);
  fs::create_directory(model.folder().path("mine"));
  model.folder().write("mine/thesis.txt", "irreplaceable");
  const std::string command =
      "adamec-plan m.atoms --context context.yaml -q -o plan.yaml --bundle ";
  CommandResult result = model.run(command + "mine");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("mine: will not be replaced"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_EQ(model.folder().read("mine/thesis.txt"), "irreplaceable");
  EXPECT_FALSE(fs::exists(model.folder().path("plan.yaml")));
  result = model.run(command + "no/such/folder");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("cannot write"));
  for (const std::string& name : model.folder().list())
    EXPECT_THAT(name, ::testing::Not(HasSubstr("tmp")));
  // A bundle of before is replaced as a whole, and the same input gives the same bytes.
  EXPECT_EQ(model.run(command + "b").exit_code, 0);
  const std::string before = model.folder().read("b/bundle.json");
  model.folder().write("b/left-over.pt", "old");
  EXPECT_EQ(model.run(command + "b").exit_code, 0);
  EXPECT_EQ(model.folder().read("b/bundle.json"), before);
  EXPECT_FALSE(fs::exists(model.folder().path("b/left-over.pt")));
}

}  // namespace
}  // namespace adamec::testing
