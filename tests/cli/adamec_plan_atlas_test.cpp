// adamec-plan --atlas, --lookup, --explain, --html: the real command.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "adamec/base/file.h"
#include "tests/support/run_command.h"

namespace adamec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;
using testing::CommandResult;

class AdamecPlanAtlas : public ::testing::Test {
 protected:
  AdamecPlanAtlas() {
    Json toy = Json::parse(read_file(testing::source_path("tests/golden/plan/toy.costs.json")));
    folder_.write("plain.json", toy.dump());
    toy["atlas"] = {{"ranges", {{{"quantity", "BANDWIDTH"}, {"low", 12500}, {"high", 1.25e9}}}},
                    {"loadRates", {{{"tier", "edge"}, {"bytesPerSecond", 1e6}}}},
                    {"runs", 100}};
    toy_ = toy;
    folder_.write("toy.json", toy.dump());
    for (const char* name : {"health.atoms", "host.predictor", "context.yaml"}) {
      folder_.write(name, read_file(testing::source_path(std::string("tests/golden/v1/") + name)));
    }
  }

  CommandResult run(const std::string& arguments) {
    return testing::run_command("adamec-plan " + arguments, folder_.path());
  }

  void expect_error(const CommandResult& result, int code, const std::string& message) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, AllOf(StartsWith("adamec-plan: error: "), HasSubstr(message)));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }

  testing::TemporaryFolder folder_;
  Json toy_;
};

TEST_F(AdamecPlanAtlas, IsPrintedInEveryFormatAndTheSameEachTime) {
  const CommandResult json = run("--costs toy.json --atlas --json");
  ASSERT_EQ(json.exit_code, 0) << json.err;
  EXPECT_EQ(json.err, "2 plans, proven optimal everywhere in the ranges\n");
  const Json atlas = Json::parse(json.out);
  EXPECT_EQ(atlas.at("gap"), 0);
  EXPECT_EQ(atlas.at("plans").size(), 2u);
  // 15 ms on the device against 1.9 + 10 ms and 602112 B up, 4000 B down at twice the rate.
  EXPECT_NEAR(atlas.at("regions").at(0).at("to").get<double>(), 604112 / 3.1e-3, 1e-3);
  EXPECT_THAT(run("--costs toy.json --atlas").out, HasSubstr("placement: [[device, 2]]"));
  const CommandResult header = run("--costs toy.json --atlas --format header -q -o a.h");
  EXPECT_EQ(header.err, "");
  EXPECT_THAT(folder_.read("a.h"), HasSubstr("inline constexpr adamec::plan::LookupTable kTable"));
  EXPECT_EQ(run("--costs toy.json --atlas --format pb -o a.pb").exit_code, 0);
  EXPECT_EQ(run("--costs toy.json --atlas --format pb -o b.pb").exit_code, 0);
  EXPECT_EQ(folder_.read("a.pb"), folder_.read("b.pb"));
}

TEST_F(AdamecPlanAtlas, TheHeaderCompilesAndAdvisesTheSame) {
  ASSERT_EQ(run("--costs toy.json --atlas --format header -q -o atlas.h").exit_code, 0);
  ASSERT_EQ(run("--costs toy.json --atlas --format pb -q -o a.pb").exit_code, 0);
  folder_.write("main.cpp", R"(#include <cstdio>
#include "atlas.h"
int main() {
  const double rates[] = {1e6, 2e8, 1e9};
  for (const double& rate : rates) {
    const adamec::plan::Advice advice = adamec::plan::advise(adamec_atlas::kTable, &rate, 0);
    std::printf("%d %d %.9g\n", advice.plan, advice.change, advice.latency_ms);
  }
}
)");
  const CommandResult compiled = testing::run_command(
      "${CXX:-c++} -std=c++17 -I'" + testing::source_path("lib") + "' main.cpp -o look && ./look",
      folder_.path());
  ASSERT_EQ(compiled.exit_code, 0) << compiled.err;
  std::string expected;
  for (const char* rate : {"1MB/s", "200MB/s", "1000MB/s"}) {
    const CommandResult found =
        run(std::string("--lookup a.pb --json --current 0 --at bandwidth=") + rate);
    ASSERT_EQ(found.exit_code, 0) << found.err;
    const Json advice = Json::parse(found.out);
    expected +=
        fmt::format("{} {} {:.9g}\n", advice.at("plan").get<int>(),
                    advice.at("change").get<bool>() ? 1 : 0, advice.at("latency_ms").get<double>());
  }
  EXPECT_EQ(compiled.out, expected);
}

TEST_F(AdamecPlanAtlas, LookUpAdvisesAChangeOnlyWhenItPays) {
  ASSERT_EQ(run("--costs toy.json --atlas --format pb -q -o a.pb").exit_code, 0);
  // The edge loads 4133632 B at 1 MB/s: 4134 ms, against at most 3.1 ms in each of 100 runs.
  Json advice = Json::parse(run("--lookup a.pb --at bandwidth=1GB/s --current 0 --json").out);
  EXPECT_EQ(advice.at("plan"), 0);
  EXPECT_EQ(advice.at("change"), false);
  advice = Json::parse(run("--lookup a.pb --at bandwidth=1GB/s --json").out);
  EXPECT_EQ(advice.at("plan"), 1);
  toy_["atlas"]["runs"] = 10000;
  folder_.write("long.json", toy_.dump());
  ASSERT_EQ(run("--costs long.json --atlas --format pb -q -o l.pb").exit_code, 0);
  advice = Json::parse(run("--lookup l.pb --at bandwidth=1GB/s --current 0 --json").out);
  EXPECT_EQ(advice.at("change"), true);
  EXPECT_EQ(advice.at("loading_bytes").at("edge"), 4133632);
  EXPECT_NEAR(advice.at("loading_ms").get<double>(), 4133.632, 1e-9);
}

TEST_F(AdamecPlanAtlas, ContextRangesGiveLoadsAndPictures) {
  const std::string context = folder_.read("context.yaml");
  folder_.write("c.yaml", context +
                              "atlas: {bandwidth: 0.1Mbit/s..1000Mbit/s, "
                              "load: {phone: 0..0.5}, memory: {phone: 1kB..64MiB}}\n");
  const CommandResult result = run(
      "health.atoms --context c.yaml --atlas --html a.html --svg a.svg --json --save-costs s.json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json atlas = Json::parse(result.out);
  EXPECT_GE(atlas.at("plans").size(), 2u);
  EXPECT_EQ(atlas.at("ranges").at(1).at("knots").size(), 6u);
  EXPECT_THAT(folder_.read("a.html"), StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(folder_.read("a.svg"), StartsWith("<svg "));
  // The saved cost graph is all it takes to make the same atlas.
  const Json again = Json::parse(run("--costs s.json --atlas --json").out);
  EXPECT_EQ(again.at("plans"), atlas.at("plans"));
}

TEST_F(AdamecPlanAtlas, WrongUsageAndBadFilesAreOneLine) {
  expect_error(run("--costs plain.json --atlas"), 1, "plain.json: there is no section `atlas`");
  expect_error(run("health.atoms --context context.yaml --atlas"), 1,
               "context.yaml: there is no section `atlas`");
  expect_error(run("--costs toy.json --format pb"), 2, "--format: 'pb' is not one of yaml, json");
  expect_error(run("--costs toy.json --at bandwidth=1MB/s"), 2, "need --lookup");
  expect_error(run("--costs toy.json --atlas --explain"), 2, "cannot be given together");
  expect_error(run("--costs toy.json --svg x.svg"), 2, "--svg needs --atlas");
  expect_error(run("--costs toy.json --bundle b"), 2, "--bundle needs an archive");
  expect_error(run("--lookup toy.json"), 1, "toy.json: not an atlas");
  expect_error(run("--lookup nowhere.pb"), 1, "nowhere.pb: cannot open");
  ASSERT_EQ(run("--costs toy.json --atlas --format pb -q -o a.pb").exit_code, 0);
  expect_error(run("--lookup a.pb --at load=1"), 2, "with one of the names bandwidth");
  expect_error(run("--lookup a.pb --at bandwidth=fast"), 2, "'fast' is not a bandwidth");
  expect_error(run("--lookup a.pb --current 2"), 2, "a.pb has no plan 2 (it has 2)");
  toy_["atlas"]["ranges"][0]["high"] = 1;
  folder_.write("bad.json", toy_.dump());
  expect_error(run("--costs bad.json --atlas"), 1, "atlas.bandwidth: the range from 12500 to 1");
  const std::string context = folder_.read("context.yaml");
  folder_.write("c.yaml", context + "atlas: {bandwidth: 5Mbit/s..1Mbit/s}\n");
  expect_error(run("health.atoms --context c.yaml --atlas"), 1,
               "atlas.bandwidth: '5Mbit/s..1Mbit/s' is not a range: its ends do not ascend");
}

TEST_F(AdamecPlanAtlas, NoDeadlineThatIsNeverMet) {
  std::string context = folder_.read("context.yaml");
  const auto at = context.find("deadline: 100ms");
  ASSERT_NE(at, std::string::npos);
  context.replace(at, 15, "deadline: 1us");
  folder_.write("c.yaml", context + "atlas: {bandwidth: 1Mbit/s..10Mbit/s}\n");
  expect_error(run("health.atoms --context c.yaml --atlas"), 3,
               "even at the best end of all ranges the best plan takes");
}

TEST_F(AdamecPlanAtlas, ExplainsAPlanAndWhyThereIsNone) {
  const CommandResult plan = run("--costs plain.json --explain -o p.yaml -q --html p.html");
  EXPECT_EQ(plan.exit_code, 0);
  EXPECT_THAT(plan.out, StartsWith("The plan takes 15.00 ms: 15.00 ms on 'device'.\n"));
  EXPECT_THAT(folder_.read("p.html"), HasSubstr("<li>The plan takes 15.00 ms"));
  Json tight = toy_;
  tight["tiers"][0]["memory_bytes"] = 1000;
  tight["tiers"][1]["memory_bytes"] = 1000;
  folder_.write("tight.json", tight.dump());
  const CommandResult none = run("--costs tight.json --explain");
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err,
              HasSubstr("The memory of 'device' makes it impossible: about 3.9 MiB would do"));
  EXPECT_THAT(none.err, HasSubstr("adamec-plan: error: tight.json: "));
}

}  // namespace
}  // namespace adamec
