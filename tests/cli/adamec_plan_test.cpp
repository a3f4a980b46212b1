#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "adamec/base/file.h"
#include "tests/support/run_command.h"
#include "tests/unit/archive/example_archive.h"
#include "tests/unit/predict/small_predictor.h"

namespace adamec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;
using testing::CommandResult;

const char kContext[] = R"(tiers:
  - {name: phone, predictor: phone.predictor}
  - {name: edge, predictor: edge.predictor, slowdown: 0.5}
links:
  - {from: phone, to: edge, bandwidth: 1GB/s, latency: 1us}
  - {from: edge, to: phone, bandwidth: 1GB/s, latency: 1us}
input: phone
output: phone
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string golden(const std::string& name) {
  return read_file(testing::source_path("tests/golden/plan/" + name));
}

// A folder with cost graphs, an archive, two predictors and a context.
class AdamecPlan : public ::testing::Test {
 protected:
  AdamecPlan() {
    for (const char* name : {"toy", "mixed", "budget"}) {
      folder_.write(std::string(name) + ".json", golden(std::string(name) + ".costs.json"));
    }
    write_archive("aten::relu");
    for (const char* tier : {"phone", "edge"}) write_predictor(tier, "1.13.1");
    folder_.write("context.yaml", kContext);
  }

  void write_archive(const std::string& first_operator) {
    testing::ExampleArchive example = testing::example_archive();
    example.manifest.set_libtorch_version("1.13.1");
    *example.manifest.mutable_atoms(1)->mutable_operators() = example.manifest.atoms(0).operators();
    example.manifest.mutable_atoms(0)->mutable_operators(0)->set_name(first_operator);
    example.manifest.mutable_atoms(1)->mutable_operators(0)->set_name("aten::relu");
    OutputFile archive(folder_.path("m.atoms"));
    archive::write_archive(archive, example.manifest, example.records);
    archive.commit();
  }

  void write_predictor(const std::string& tier, const std::string& libtorch) {
    v1::Predictor predictor = testing::small_predictor();
    predictor.mutable_host()->set_id(tier + "-host");
    predictor.mutable_host()->set_cpu_model("test");
    predictor.mutable_host()->set_libtorch_version(libtorch);
    folder_.write(tier + ".predictor", predictor.SerializeAsString());
  }

  CommandResult run(const std::string& arguments, const std::string& input = "") {
    return testing::run_command("adamec-plan " + arguments, folder_.path(), input);
  }

  // Runs with a context in which one text is replaced by another.
  CommandResult run_context(const std::string& from, const std::string& to,
                            const std::string& arguments = "") {
    folder_.write("c.yaml", replaced(kContext, from, to));
    return run("m.atoms --context c.yaml " + arguments);
  }

  // The command fails with this exit code and one line on stderr, and prints nothing.
  void expect_error(const CommandResult& result, int code, const std::string& message) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, AllOf(StartsWith("adamec-plan: error: "), HasSubstr(message)));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(AdamecPlan, HelpAndVersion) {
  const CommandResult help = run("--help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.err, "");
  for (const char* algorithm : {"optimal", "min-cut", "dads", "neurosurgeon", "greedy"}) {
    EXPECT_THAT(help.out, HasSubstr(algorithm));
  }
  EXPECT_THAT(help.out, AllOf(HasSubstr("--costs"), HasSubstr("--context"),
                              HasSubstr("adamec-plan --costs costs.json --format json")));
  const CommandResult version = run("--version");
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, AllOf(StartsWith("adamec-plan "), HasSubstr("archive format 1")));
}

TEST_F(AdamecPlan, LoadsNeitherLibTorchNorXGBoost) {
  const CommandResult result = testing::run_command("ldd $(command -v adamec-plan)");
  ASSERT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("libc.so"));
  EXPECT_THAT(result.out, AllOf(Not(HasSubstr("torch")), Not(HasSubstr("libc10")),
                                Not(HasSubstr("xgboost")), Not(HasSubstr("not found"))));
}

TEST_F(AdamecPlan, WrongUsage) {
  expect_error(run(""), 2, "expected an archive and its --context, or --costs");
  expect_error(run("--no-such-option"), 2, "--no-such-option");
  expect_error(run("m.atoms"), 2, "--context is required with an archive");
  expect_error(run("m.atoms --costs toy.json"), 2, "--costs and ARCHIVE cannot be given together");
  expect_error(run("--costs toy.json --context context.yaml"), 2, "--costs and --context cannot");
  expect_error(run("- --context -"), 2, "standard input can be read only once");
  expect_error(run("--costs toy.json --objective beauty"), 2,
               "--objective: 'beauty' is not one of latency, energy, memory, bytes");
  expect_error(run("--costs toy.json --objective latency=-1"), 2, "'-1' is not a weight");
  expect_error(run("--costs toy.json --pareto latency"), 2, "--pareto: expected two objectives");
  expect_error(run("m.atoms --context c.yaml --quantile 1"), 2,
               "--quantile: '1' is not a number from 0.5 to 0.99");
  expect_error(run("--costs toy.json --quantile 0.95"), 2, "--costs and --quantile cannot");
  expect_error(run("--costs toy.json --deadline 5"), 2, "--deadline: '5'");
  expect_error(run("--costs toy.json --objective throughput --compare"), 2, "for the objective");
  expect_error(run("--costs toy.json --algorithm magic"), 2,
               "--algorithm: 'magic' is not one of optimal, min-cut, dads, neurosurgeon");
  expect_error(run("--costs toy.json --format xml"), 2, "--format: 'xml' is not one of yaml, json");
  expect_error(run("--costs toy.json --time-limit soon"), 2, "--time-limit: 'soon' is not a time");
  expect_error(run("--costs toy.json --dot -"), 2, "can be standard output");
}

TEST_F(AdamecPlan, PrintsYamlByDefaultAndJsonWhenAsked) {
  const CommandResult yaml = run("--costs mixed.json --compare");
  EXPECT_EQ(yaml.exit_code, 0);
  EXPECT_EQ(yaml.out, golden("mixed.plan.yaml"));
  const std::string json = golden("mixed.plan.json");
  EXPECT_EQ(run("--costs mixed.json --compare --json").out, json);
  EXPECT_EQ(run("--costs mixed.json --compare --format json").out, json);
  EXPECT_EQ(run("--costs mixed.json --compare --format json --time-limit 1min").out, json);
}

TEST_F(AdamecPlan, StandardInputAndOutput) {
  const CommandResult result =
      run("--costs - --json -o - --compare -q", golden("budget.costs.json"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, golden("budget.plan.json"));
}

TEST_F(AdamecPlan, TableGoesWhereThePlanIsNot) {
  const std::string table = golden("toy.table.txt");
  const CommandResult both = run("--costs toy.json --compare");
  EXPECT_THAT(both.err, HasSubstr(table));
  EXPECT_THAT(both.out, Not(HasSubstr(table)));
  const CommandResult file = run("--costs toy.json --compare -o plan.yaml");
  EXPECT_EQ(file.out, table);
  EXPECT_EQ(folder_.read("plan.yaml"), golden("toy.plan.yaml"));
  EXPECT_EQ(file.err, "15.00 ms, proven optimal; 2 on device, 0 on edge; 0 moves\n");
}

TEST_F(AdamecPlan, SameInputSameBytes) {
  ASSERT_EQ(run("m.atoms --context context.yaml -o 1.yaml --compare --dot 1.dot").exit_code, 0);
  ASSERT_EQ(run("m.atoms --context context.yaml -o 2.yaml --compare --dot 2.dot").exit_code, 0);
  EXPECT_EQ(folder_.read("1.yaml"), folder_.read("2.yaml"));
  EXPECT_EQ(folder_.read("1.dot"), folder_.read("2.dot"));
  EXPECT_THAT(folder_.read("1.dot"), StartsWith("digraph plan {"));
}

TEST_F(AdamecPlan, EveryAlgorithmIsScoredAlike) {
  const Json plan = Json::parse(golden("mixed.plan.json"));
  for (const char* name :
       {"device-only", "edge-only", "neurosurgeon", "dads", "greedy", "min-cut"}) {
    const CommandResult result = run(std::string("--costs mixed.json --json --algorithm ") + name);
    ASSERT_EQ(result.exit_code, 0) << name << result.err;
    const Json own = Json::parse(result.out);
    EXPECT_EQ(own["lower_bound_ms"], plan["latency_ms"]) << name;
    if (plan["baselines"].contains(name)) {
      EXPECT_EQ(own["latency_ms"], plan["baselines"][name]) << name;
    }
    const double latency = own["latency_ms"];
    const double bound = own["lower_bound_ms"];
    EXPECT_DOUBLE_EQ(own["gap"], (latency - bound) / latency) << name;
  }
}

TEST_F(AdamecPlan, NoPlanMeetsTheConstraints) {
  expect_error(run("--costs budget.json --algorithm device-only"), 3,
               "'watch' needs 1.1 MiB of memory, 217.1 KiB more than it has");
  folder_.write("tight.json", replaced(golden("budget.costs.json"), "900000", "30000"));
  expect_error(run("--costs tight.json -o plan.yaml"), 3,
               "atom 'conv' needs 72.0 KiB of memory, 42.7 KiB more than 'watch' has");
  expect_error(run_context("output: phone", "output: phone\nconstraints: {deadline: 1us}"), 3,
               "c.yaml: constraints.deadline: the fastest plan takes ");
  EXPECT_EQ(run_context("output: phone", "output: phone\nconstraints: {deadline: 1h}").exit_code,
            0);
  EXPECT_THAT(folder_.list(), Not(::testing::Contains("plan.yaml")));
}

TEST_F(AdamecPlan, BadCostGraphs) {
  const std::string toy = golden("toy.costs.json");
  const auto expect_bad = [&](const std::string& text, const std::string& message) {
    folder_.write("bad.json", text);
    expect_error(run("--costs bad.json -o plan.yaml"), 1, message);
  };
  expect_bad(replaced(toy, "2.5e6", "0"), "bad.json: links[0].bytes_per_second: 0 is not a");
  expect_bad(replaced(toy, "2.5e6", "-3"), "bad.json: links[0].bytes_per_second: -3 is not a");
  expect_bad(replaced(toy, "\"inputs\": [\"x\"]", "\"inputs\": [\"x\", \"y\"]"),
             "bad.json: the atoms form a cycle through 'conv'");
  expect_bad(replaced(toy, "weight_bytes", "weigth_bytes"), "weigth_bytes");
  expect_bad(replaced(toy, "[12.0, 1.5]", "[12.0]"), "atom 'conv': latency_ms: 1 numbers");
  expect_bad("", "bad.json: ");
  expect_bad("version https://git-lfs.github.com/spec/v1\n", "bad.json: not a cost graph");
  expect_error(run("--costs missing.json"), 1, "missing.json: cannot open: No such file");
  expect_error(run("--costs -", "{"), 1, "<stdin>: not a cost graph");
  EXPECT_THAT(folder_.list(), Not(::testing::Contains(StartsWith("plan.yaml"))));
}

TEST_F(AdamecPlan, OtherObjectives) {
  const auto plan = [&](const std::string& arguments) {
    const CommandResult result = run("--costs budget.json --json " + arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out);
  };
  const Json memory = plan("--objective memory");
  EXPECT_EQ(memory["value"], memory["measures"]["memory_bytes"]);
  EXPECT_EQ(memory["gap"], 0);
  const Json sum = plan("--objective latency=1,bytes=0.001 --deadline 20ms");
  const double expected =
      double(sum["measures"]["latency_ms"]) + 0.001 * double(sum["measures"]["bytes_sent"]);
  EXPECT_NEAR(double(sum["value"]), expected, 1e-9 * expected);
  const Json front = plan("--pareto latency,memory --points 5");
  EXPECT_EQ(front["proven"], true);
  EXPECT_EQ(front["plans"].size(), 1u);  // the fastest plan needs least
  EXPECT_EQ(plan("--objective throughput")["stages"][0]["tier"], "watch");
  expect_error(run("--costs budget.json --objective energy --deadline 2ms"), 3,
               "constraints.deadline: the fastest plan takes 14.384 ms, 12.384 ms more than 2 ms");
  expect_error(run("--costs budget.json --deadline 2ms"), 3, "the fastest plan takes 14.384 ms");
}

TEST_F(AdamecPlan, PlansThreeTiers) {
  std::string cloud = golden("toy.costs.json");
  cloud = replaced(cloud, "{\"name\": \"edge\"}", "{\"name\": \"edge\"}, {\"name\": \"c\"}");
  cloud = replaced(replaced(cloud, "[12.0, 1.5]", "[12.0, 1.5, 1]"), "[3.0, 0.4]", "[3.0, 0.4, 1]");
  folder_.write("cloud.json", cloud);
  const CommandResult result = run("--costs cloud.json --json --compare");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["gap"], 0);
  EXPECT_EQ(Json::parse(result.out)["latency_ms"],
            Json::parse(run("--costs toy.json --json").out)["latency_ms"]);
}

TEST_F(AdamecPlan, BadContexts) {
  expect_error(run_context("input: phone", "inptu: phone"), 1,
               "c.yaml:7: the context: unknown key 'inptu' (known: tiers, links, input, output, "
               "constraints, atlas)");
  expect_error(run_context("bandwidth: 1GB/s", "bandwidth: 0GB/s"), 1,
               "c.yaml:5: links[0].bandwidth: '0GB/s': a bandwidth must be greater than zero");
  expect_error(run_context("bandwidth: 1GB/s", "bandwidth: -1GB/s"), 1,
               "c.yaml:5: links[0].bandwidth: '-1GB/s' is not a bandwidth");
  expect_error(run_context("phone.predictor", "none.predictor"), 1,
               "none.predictor: cannot open: No such file");
  expect_error(run_context("phone.predictor", "context.yaml"), 1, "context.yaml: not a predictor");
  expect_error(
      run_context("output: phone", "output: phone\nconstraints: {pin: {\"nothing*\": edge}}"), 1,
      "c.yaml: constraints.pin: no atom matches 'nothing*'");
  expect_error(run("m.atoms --context missing.yaml"), 1, "missing.yaml: cannot open");
}

TEST_F(AdamecPlan, BadArchives) {
  expect_error(run("missing.atoms --context context.yaml"), 1, "missing.atoms: ");
  expect_error(run("toy.json --context context.yaml"), 1, "toy.json: ");
  folder_.write("half.atoms", folder_.read("m.atoms").substr(0, 600));
  expect_error(run("half.atoms --context context.yaml"), 1, "half.atoms: ");
}

TEST_F(AdamecPlan, PlansAnArchive) {
  const CommandResult result = run("m.atoms --context context.yaml --json --save-costs costs.json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("warning")));
  const Json plan = Json::parse(result.out);
  EXPECT_EQ(plan["placement"], (Json{{"conv.conv2d", "edge"}, {"relu", "edge"}}));
  EXPECT_EQ(plan["gap"], 0);

  const Json costs = Json::parse(folder_.read("costs.json"));
  const Json conv = costs["atoms"][0];
  EXPECT_EQ(conv["inputs"], Json{"x"}) << "shared weights do not travel";
  EXPECT_EQ(conv["weight_bytes"], 192) << "but take memory";
  EXPECT_DOUBLE_EQ(conv["latency_ms"][1], 0.5 * double(conv["latency_ms"][0])) << "slowdown 0.5";
  EXPECT_EQ(costs["outputs"], (Json{{{"tensor", "relu:0"}, {"tier", "phone"}}}))
      << "constants do not travel";
  EXPECT_EQ(run("--costs costs.json --json").out, result.out);
  EXPECT_EQ(run("- --context context.yaml --json", folder_.read("m.atoms")).out, result.out);
  EXPECT_EQ(run("m.atoms --context - --json", kContext).out, result.out);
}

TEST_F(AdamecPlan, ConstraintsPinAtoms) {
  const auto placement = [&](const std::string& constraints) {
    const CommandResult result =
        run_context("output: phone", "output: phone\nconstraints: {" + constraints + "}", "--json");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out)["placement"];
  };
  EXPECT_EQ(placement("keep_input_on: phone")["conv.conv2d"], "phone");
  EXPECT_EQ(placement("pin: {\"re*\": phone}"), (Json{{"conv.conv2d", "edge"}, {"relu", "phone"}}));
}

TEST_F(AdamecPlan, PredictorsOfAnotherHost) {
  const std::string host = "predictor: phone.predictor, host: ";
  EXPECT_THAT(run_context("predictor: phone.predictor", host + "phone-host", "--strict").err,
              Not(HasSubstr("error")));
  const std::string message =
      "phone.predictor: it comes from host 'phone-host' (test), but c.yaml: tiers[0].host is "
      "'other'";
  const CommandResult warned = run_context("predictor: phone.predictor", host + "other");
  EXPECT_EQ(warned.exit_code, 0);
  EXPECT_THAT(warned.err, HasSubstr("adamec-plan: warning: " + message));
  expect_error(run_context("predictor: phone.predictor", host + "other", "--strict"), 1, message);

  write_predictor("edge", "2.13.0");
  const CommandResult version = run("m.atoms --context context.yaml");
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.err, HasSubstr("it comes from a host with LibTorch 2.13.0, but m.atoms was "
                                     "made by LibTorch 1.13.1"));
  EXPECT_EQ(run("m.atoms --context context.yaml --strict").exit_code, 1);
  EXPECT_EQ(run("m.atoms --context context.yaml -q").err, "");
}

TEST_F(AdamecPlan, SaysWhenAPredictorGuesses) {
  write_archive("aten::conv2d");
  const CommandResult result = run("m.atoms --context context.yaml");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("adamec-plan: warning: phone.predictor: 1 of 2 atoms on "
                                    "'phone' are unlike anything it was trained on\n"));
  EXPECT_THAT(result.err, HasSubstr("adamec-plan: warning: phone.predictor: not trained on "
                                    "aten::conv2d; on 'phone' they are estimated from "
                                    "multiplications and bytes alone\n"));
}

TEST_F(AdamecPlan, FlagBeatsVariableBeatsFile) {
  folder_.write("options.toml", "format = \"json\"\ncosts = \"toy.json\"\n");
  const auto is_json = [](const CommandResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out.front() == '{';
  };
  EXPECT_FALSE(is_json(run("--costs toy.json")));
  EXPECT_TRUE(is_json(run("--config options.toml")));
  const auto with_variable = [&](const std::string& value, const std::string& arguments) {
    return testing::run_command("ADAMEC_FORMAT=" + value + " adamec-plan " + arguments,
                                folder_.path());
  };
  EXPECT_FALSE(is_json(with_variable("yaml", "--config options.toml")));
  EXPECT_TRUE(is_json(with_variable("json", "--costs toy.json")));
  EXPECT_TRUE(is_json(with_variable("yaml", "--config options.toml --format json")));
  folder_.write("typo.toml", "formt = \"json\"\n");
  expect_error(run("--costs toy.json --config typo.toml"), 2, "formt");
  expect_error(run("--costs toy.json --config missing.toml"), 2, "missing.toml");
}

TEST_F(AdamecPlan, Depfile) {
  ASSERT_EQ(run("m.atoms --context context.yaml -o plan.yaml -MF plan.d").exit_code, 0);
  EXPECT_EQ(folder_.read("plan.d"),
            "plan.yaml: m.atoms context.yaml phone.predictor edge.predictor\n");
  ASSERT_EQ(run("--costs - -o plan.yaml -MF plan.d", golden("toy.costs.json")).exit_code, 0);
  EXPECT_EQ(folder_.read("plan.d"), "plan.yaml:\n");
}

TEST_F(AdamecPlan, OutputThatCannotBeWritten) {
  expect_error(run("--costs toy.json -q -o no/such/folder/plan.yaml"), 1,
               "no/such/folder/plan.yaml: cannot write: No such file or directory");
  expect_error(run("--costs toy.json -q -o /dev/full"), 1,
               "/dev/full: cannot write: No space left on device");
  const CommandResult full = run("--costs toy.json -q > /dev/full");
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("<stdout>: cannot write"));
}

TEST_F(AdamecPlan, FailureLeavesTheOldPlan) {
  folder_.write("plan.yaml", "old");
  EXPECT_EQ(run("--costs budget.json --algorithm edge-only -o plan.yaml").exit_code, 3);
  EXPECT_EQ(folder_.read("plan.yaml"), "old");
  for (const std::string& name : folder_.list()) EXPECT_THAT(name, Not(HasSubstr(".tmp.")));
}

}  // namespace
}  // namespace adamec
