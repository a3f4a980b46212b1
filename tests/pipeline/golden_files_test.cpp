#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/run_command.h"

// Files written by earlier format versions stay readable: lib/adamec/proto/COMPATIBILITY.md. Those
// of version 1 come from models/health_cnn_lstm.traced.pt by the commands of the README; version 2
// is of the predictor alone, trained on the samples there.
namespace adamec::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

CommandResult run(const std::string& command, const std::string& version = "v1") {
  return run_command(command, source_path("tests/golden/" + version));
}

TEST(GoldenFiles, ArchiveAndPredictorGiveTheSamePlan) {
  const CommandResult result =
      run("adamec-plan health.atoms --context context.yaml --compare --format json -q");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(compare_golden("v1/plan.json", result.out), "");
}

TEST(GoldenFiles, PredictorOfVersionTwoGivesTheSamePlan) {
  const CommandResult result =
      run("adamec-plan ../v1/health.atoms --context context.yaml --compare --format json -q", "v2");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(compare_golden("v2/plan.json", result.out), "");
}

TEST(GoldenFiles, PlansOnQuantilesOfPredictedLatencies) {
  const auto latency_at = [](const std::string& quantile) {
    const CommandResult result = run(
        "adamec-plan health.atoms --context context.yaml --format json -q --quantile " + quantile);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out).at("latency_ms").get<double>();
  };
  const double median = latency_at("0.5");
  EXPECT_GT(latency_at("0.75"), median);
  EXPECT_GT(latency_at("0.95"), latency_at("0.75"));
}

TEST(GoldenFiles, ArchiveIsListed) {
  const CommandResult result = run("adamec-split health.atoms --list");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("health_cnn_lstm: 16 atoms"));
}

TEST(GoldenFiles, ArchiveIsMeasured) {
  const TemporaryFolder folder;
  const CommandResult result =
      run("adamec-profile health.atoms --threads 1 --cpu-load 0 -q "
          "--budget 1s -o " +
          folder.path("h.samples"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(folder.list(), ::testing::ElementsAre("h.samples"));
}

TEST(GoldenFiles, SamplesAreTrainedOn) {
  const TemporaryFolder folder;
  const CommandResult result =
      run("adamec-train host.samples -q -o " + folder.path("host.predictor"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, IsEmpty());
}

}  // namespace
}  // namespace adamec::testing
