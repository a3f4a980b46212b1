#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "adamec/predict/predictor.h"
#include "adamec/v1/samples.pb.h"
#include "tests/support/run_command.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class AdamecTrain : public ::testing::Test {
 protected:
  AdamecTrain() {
    folder_.write("a.samples", bytes({.configurations = 40, .loads = {0, 0.5}, .seed = 1}));
    folder_.write("b.samples", bytes({.configurations = 30, .loads = {0, 0.5}, .seed = 2}));
  }
  static std::string bytes(const SyntheticOptions& options) {
    return synthetic_samples(options).SerializeAsString();
  }
  CommandResult run(const std::string& command, const std::string& input = "") {
    return run_command(command, folder_.path(), input);
  }
  // Expects that the command fails with this one line and prints and writes nothing else.
  void expect_error(const std::string& arguments, int exit_code, const std::string& message) {
    const auto before = folder_.list();
    const CommandResult result = run("adamec-train " + arguments);
    EXPECT_EQ(result.exit_code, exit_code) << arguments;
    EXPECT_EQ(result.err, "adamec-train: error: " + message + "\n");
    EXPECT_EQ(result.out, "") << arguments;
    EXPECT_EQ(folder_.list(), before);
  }

  TemporaryFolder folder_;
};

TEST_F(AdamecTrain, WritesAPredictor) {
  const CommandResult result = run("adamec-train a.samples b.samples -o h.predictor");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(
      result.err,
      ContainsRegex("^[0-9]+ configurations \\([0-9]+ under load\\) of 3 operators on "
                    "Synthetic CPU\naccuracy on configurations left out of training \\(what "
                    "was measured is used as it is, not predicted\\):\n  atoms: [0-9]+ % "
                    "within 10 % of the measured latency, mean absolute error [0-9.]+ %\n"
                    "  the same atom measured twice: 100 % within 10 % \\(no predictor does "
                    "better\\)\n$"));
  EXPECT_EQ(folder_.list(), (std::vector<std::string>{"a.samples", "b.samples", "h.predictor"}));
  const auto predictor = predict::Predictor::load(folder_.path("h.predictor"));
  EXPECT_GT(predictor.predict(conv2d(64, 64, 28, 3), {1, 0}).p50_ms, 0);
  EXPECT_EQ(predictor.message().host().id(), "00112233aabbccdd");
  EXPECT_FALSE(predictor.message().validation().empty());
}

TEST_F(AdamecTrain, IsTheSameForConcatenatedFilesAndTwice) {
  ASSERT_EQ(run("adamec-train -q a.samples b.samples -o 1.predictor").exit_code, 0);
  ASSERT_EQ(run("cat a.samples b.samples | adamec-train -q - -o 2.predictor").exit_code, 0);
  ASSERT_EQ(run("adamec-train -q a.samples b.samples -o - > 3.predictor").exit_code, 0);
  ASSERT_EQ(run("adamec-train -q a.samples b.samples --seed 2 -o 4.predictor").exit_code, 0);
  EXPECT_TRUE(folder_.read("1.predictor") == folder_.read("2.predictor"));
  EXPECT_TRUE(folder_.read("1.predictor") == folder_.read("3.predictor"));
  EXPECT_FALSE(folder_.read("1.predictor") == folder_.read("4.predictor"));
}

TEST_F(AdamecTrain, QuietMeansQuiet) {
  const CommandResult result = run("adamec-train -q a.samples -o h.predictor");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out + result.err, "");
}

TEST_F(AdamecTrain, ValidateNoneSaysNothingOfAccuracyAndChangesNothing) {
  const CommandResult result = run("adamec-train a.samples -o none.predictor --validate none");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, ContainsRegex("^[0-9]+ configurations \\([0-9]+ under load\\) of 3 "
                                        "operators on Synthetic CPU\n$"));
  ASSERT_EQ(run("adamec-train -q a.samples -o config.predictor").exit_code, 0);
  EXPECT_TRUE(folder_.read("none.predictor") == folder_.read("config.predictor"));
  // Limits hold all the same.
  EXPECT_EQ(run("adamec-train a.samples --validate none --max-error 0.01").exit_code, 1);
}

TEST_F(AdamecTrain, HelpIsReadableAtOnce) {
  const CommandResult result = run("adamec-train --help");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  std::istringstream lines(result.out);
  std::set<std::string> values;
  int explained = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 160u) << line;
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "config" || first == "model" || first == "context" || first == "block" ||
        first == "none") {
      values.insert(first);
    }
    // What options do begins in the thirty-first column, perhaps a line lower.
    const std::size_t at = line.find_first_not_of(' ', 30);
    const bool option = line.size() > 30 && line.starts_with("  -") && line[29] == ' ';
    if (at == std::string::npos || !(option || line.find_first_not_of(' ') == 30)) continue;
    const std::string help = line.substr(at);
    ++explained;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(help[0]))) << line;
    EXPECT_LE(std::count(help.begin(), help.end(), ' '), 14) << line;
  }
  EXPECT_GE(explained, 14);
  EXPECT_EQ(values.size(), 5u) << "every value of --validate is explained";
}

TEST_F(AdamecTrain, PrintsTheTableOfWhatIsLeftOut) {
  for (const char* what : {"config", "model", "context"}) {
    const CommandResult result = run(std::string("adamec-train a.samples --validate ") + what);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("within 5 %"));
    EXPECT_THAT(result.out, HasSubstr("\naten::conv2d "));
    EXPECT_THAT(result.out, HasSubstr("\n1 thread, load 0.5 "));
    EXPECT_THAT(result.out, HasSubstr("\nall "));
    EXPECT_THAT(result.err, HasSubstr("left out"));
  }
  EXPECT_EQ(folder_.list(), (std::vector<std::string>{"a.samples", "b.samples"}));
}

TEST_F(AdamecTrain, PrintsTheTableApartFromAPredictorOnStdout) {
  const CommandResult result = run("adamec-train a.samples --validate config -o -");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("within 5 %"));
  EXPECT_THAT(result.out, Not(HasSubstr("within 5 %")));
  folder_.write("h.predictor", result.out);
  EXPECT_NO_THROW(static_cast<void>(predict::Predictor::load(folder_.path("h.predictor"))));
}

TEST_F(AdamecTrain, PrintsJson) {
  const CommandResult result = run("adamec-train --json a.samples --validate model -o h.predictor");
  EXPECT_EQ(result.exit_code, 0);
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("host"), "00112233aabbccdd");
  EXPECT_EQ(json.at("held_out"), "model");
  EXPECT_EQ(json.at("operators"), 3);
  EXPECT_EQ(json.at("validation").back().at("group"), "all");
  EXPECT_GT(json.at("validation").back().at("within_10_percent"), 10);
  EXPECT_EQ(json.at("training_sha256").get<std::string>().size(), 64u);
}

TEST_F(AdamecTrain, FailsAboveTheGreatestError) {
  expect_error("a.samples -o h.predictor --max-error abc", 2,
               "Could not convert: --max-error = abc (see --help)");
  const CommandResult result = run("adamec-train a.samples -o h.predictor --max-error 0.01");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err,
              ContainsRegex("^adamec-train: error: a.samples: mean absolute error [0-9.]+ % for "
                            "configurations left out, more than --max-error 0.01\n$"));
  EXPECT_EQ(folder_.list(), (std::vector<std::string>{"a.samples", "b.samples"}));
  EXPECT_EQ(run("adamec-train a.samples -o h.predictor --max-error 100").exit_code, 0);
  EXPECT_EQ(folder_.list().size(), 3u);
}

TEST_F(AdamecTrain, TrainsFromOneSampleButCannotJudgeIt) {
  folder_.write("one.samples", bytes({.configurations = 1}));
  const CommandResult result = run("adamec-train one.samples -o h.predictor");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "1 configuration (0 under load) of 1 operator on Synthetic CPU\n");
  expect_error("one.samples --max-error 50", 1,
               "one.samples: too few different configurations to tell the error for --max-error");
}

TEST_F(AdamecTrain, RefusesDamagedFiles) {
  const std::string whole = folder_.read("a.samples");
  folder_.write("cut.samples", whole.substr(0, whole.size() - 7));
  expect_error("cut.samples -o h.predictor", 1, "cut.samples: not a sample set, or truncated");
  folder_.write("lfs.samples", "version https://git-lfs.github.com/spec/v1\n");
  expect_error("lfs.samples -o h.predictor", 1, "lfs.samples: not a sample set, or truncated");
  folder_.write("empty.samples", "");
  expect_error("empty.samples -o h.predictor", 1, "empty.samples: no samples");
  expect_error("none.samples -o h.predictor", 1,
               "none.samples: cannot open: No such file or directory");
}

TEST_F(AdamecTrain, RefusesImpossibleLatencies) {
  v1::SampleSet set = synthetic_samples({.configurations = 5});
  for (const auto& [value, text] :
       {std::pair(std::nan(""), "nan"), std::pair(0.0, "0"), std::pair(-1.5, "-1.5")}) {
    set.mutable_samples(3)->mutable_latency()->set_min_us(value);
    folder_.write("bad.samples", set.SerializeAsString());
    expect_error("a.samples bad.samples -o h.predictor", 1,
                 std::string("bad.samples: samples[3].latency.min_us: ") + text +
                     ", expected a positive number");
  }
}

TEST_F(AdamecTrain, KeepsHostsApart) {
  folder_.write("other.samples", bytes({.configurations = 9, .host_id = "ffff"}));
  expect_error("a.samples other.samples -o h.predictor", 1,
               "2 files (a.samples, ...): samples of 2 hosts: 00112233aabbccdd (Synthetic CPU), "
               "ffff (Synthetic CPU); choose one with --host");
  expect_error("a.samples other.samples -o h.predictor --host 0000", 1,
               "2 files (a.samples, ...): no host '0000' among 00112233aabbccdd (Synthetic CPU), "
               "ffff (Synthetic CPU)");
  ASSERT_EQ(run("adamec-train -q a.samples other.samples -o h.predictor --host ffff").exit_code, 0);
  EXPECT_EQ(predict::Predictor::load(folder_.path("h.predictor")).message().host().id(), "ffff");
}

TEST_F(AdamecTrain, WarnsOfLoadedSamplesWithoutPartner) {
  v1::SampleSet set = synthetic_samples({.configurations = 5, .loads = {0, 0.5}});
  for (v1::Sample& sample : *set.mutable_samples()) {
    if (sample.context().cpu_load() > 0) sample.set_round("another");
  }
  folder_.write("apart.samples", set.SerializeAsString());
  const CommandResult result = run("adamec-train apart.samples -o h.predictor");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("adamec-train: warning: 5 samples under load have no unloaded "
                                    "one in their round: not used\n"));
}

TEST_F(AdamecTrain, RefusesWrongUsage) {
  expect_error("-o h.predictor", 2, "samples is required (see --help)");
  expect_error("a.samples", 2, "nothing to do: give -o, --validate, --html or --max-error");
  expect_error("a.samples --validate cpu", 2,
               "--validate: 'cpu' is not config, model, context, block or none");
  expect_error("a.samples -o h.predictor --max-error -1", 2, "--max-error: -1 is not a percentage");
  expect_error("a.samples --validate none", 2,
               "nothing to do: give -o, --validate, --html or --max-error");
  expect_error("- - -o h.predictor", 2, "standard input can be read only once");
  expect_error("a.samples --json -o -", 2, "--json and '-o -' both write to standard output");
}

TEST_F(AdamecTrain, WritesAReport) {
  ASSERT_EQ(run("adamec-train -q a.samples --html report.html").exit_code, 0);
  const std::string page = folder_.read("report.html");
  EXPECT_THAT(page, HasSubstr("<h1>Latency predictor: configurations left out</h1>"));
  EXPECT_THAT(page, HasSubstr("Synthetic CPU"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  const CommandResult result = run("adamec-train -q a.samples --html -");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.out == page);
  expect_error("a.samples --html - --json", 2, "'--html -' needs standard output for itself");
}

TEST_F(AdamecTrain, WritesAReportEvenWhenTheErrorIsTooGreat) {
  EXPECT_EQ(run("adamec-train -q a.samples --html report.html --max-error 0.01").exit_code, 1);
  EXPECT_THAT(folder_.list(), ::testing::Contains("report.html"));
}

TEST_F(AdamecTrain, ReportsBlocksAndModels) {
  v1::SampleSet set = synthetic_samples({.configurations = 80, .seed = 1});
  add_synthetic_blocks(set, 1, 0.1);
  folder_.write("blocks.samples", set.SerializeAsString());
  const CommandResult result = run("adamec-train blocks.samples --validate model");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\nblocks, 1 thread "));
  EXPECT_THAT(result.out, HasSubstr("\nmodels "));
  EXPECT_THAT(
      result.err,
      ContainsRegex("\n  blocks: [0-9]+ % within 10 % .*\n  whole models: [0-9]+ % within"));
  EXPECT_THAT(run("adamec-train blocks.samples --validate model --max-error 0.01").err,
              ContainsRegex("mean absolute error [0-9.]+ % of blocks for models left out"));
}

TEST_F(AdamecTrain, AdaptsAPredictorToAnotherDevice) {
  ASSERT_EQ(run("adamec-train -q a.samples b.samples -o base.predictor").exit_code, 0);
  folder_.write("few.samples", bytes({.configurations = 12, .seed = 7, .host_id = "tablet"}));
  const CommandResult result =
      run("adamec-train few.samples --base base.predictor -o tablet.predictor -MF t.d");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err,
              ContainsRegex("\n  atoms by the predictor of Synthetic CPU as it is: [0-9]+ % .*\n"
                            "  atoms by a predictor of these samples alone: [0-9]+ % within"));
  EXPECT_EQ(folder_.read("t.d"), "tablet.predictor: few.samples base.predictor\n");
  const auto predictor = predict::Predictor::load(folder_.path("tablet.predictor"));
  EXPECT_EQ(predictor.message().host().id(), "tablet");
  const auto json =
      nlohmann::json::parse(run("adamec-train few.samples --base base.predictor --validate config "
                                "--json")
                                .out);
  EXPECT_EQ(json.at("transfer").at("base_host"), "00112233aabbccdd");
  expect_error("few.samples --base tablet.predictor -o x", 1,
               "tablet.predictor: adapted from another device itself; take the predictor it was "
               "adapted from");
  expect_error("few.samples --base few.samples -o x", 1,
               "few.samples: not a predictor, or truncated");
  expect_error("few.samples --base base.predictor --validate model", 2,
               "--base can only be validated with --validate config");
}

TEST_F(AdamecTrain, CannotWriteWithoutAFolder) {
  expect_error("a.samples -o none/h.predictor", 1,
               "none/h.predictor: cannot write: No such file or directory");
}

TEST_F(AdamecTrain, WritesADepfile) {
  ASSERT_EQ(run("adamec-train -q a.samples b.samples -o h.predictor -MF h.d").exit_code, 0);
  EXPECT_EQ(folder_.read("h.d"), "h.predictor: a.samples b.samples\n");
}

TEST_F(AdamecTrain, NamesItsVersions) {
  const CommandResult result = run("adamec-train --version");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out,
              ContainsRegex("^adamec-train [0-9.]+ \\(XGBoost [0-9]+\\.[0-9]+\\.[0-9]+, predictor "
                            "format 2, sample format 1\\)\n$"));
}

TEST_F(AdamecTrain, DoesNotLoadLibTorch) {
  const CommandResult result = run("ldd $(command -v adamec-train)");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("libxgboost"));
  EXPECT_THAT(result.out, Not(HasSubstr("torch")));
  EXPECT_THAT(result.out, Not(HasSubstr("libc10")));
}

}  // namespace
}  // namespace adamec::testing
