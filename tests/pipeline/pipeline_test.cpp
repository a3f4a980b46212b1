#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/run_command.h"

// The four commands together, the way people use them: from a Makefile and in shell pipes.
namespace adamec::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kInput[] = "'float32[1,6,128]'";
constexpr char kContext[] = R"(tiers:
  - {name: phone, predictor: host.predictor, threads: 1, cpu_load: 0.5, slowdown: 8}
  - {name: edge, predictor: host.predictor, threads: 1}
links:
  - {from: phone, to: edge, bandwidth: 20Mbit/s, latency: 5ms}
  - {from: edge, to: phone, bandwidth: 40Mbit/s, latency: 5ms}
input: phone
output: phone
)";

std::string model() { return source_path("models/health_cnn_lstm.traced.pt"); }

void expect_success(const CommandResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

class Pipeline : public ::testing::Test {
 protected:
  void SetUp() override { folder_.write("context.yaml", kContext); }

  CommandResult run(const std::string& command) { return run_command(command, folder_.path()); }

  CommandResult make(const std::string& arguments = "") {
    return run("make -f " + source_path("tests/pipeline/Makefile") + " MODEL=model.pt INPUT=" +
               kInput + " PROFILE='--threads 1 --cpu-load 0 --budget 2s -q' " + arguments);
  }

  TemporaryFolder folder_;
};

TEST_F(Pipeline, MakefileRunsEachStepOnlyWhenNeeded) {
  expect_success(run("cp " + model() + " model.pt"));
  CommandResult result = make();
  expect_success(result);
  EXPECT_THAT(result.out, AllOf(HasSubstr("adamec-split"), HasSubstr("adamec-profile"),
                                HasSubstr("adamec-train"), HasSubstr("adamec-plan")));
  EXPECT_THAT(folder_.list(), Contains("plan.yaml"));

  result = make();
  expect_success(result);
  EXPECT_THAT(result.out, AllOf(HasSubstr("up to date"), Not(HasSubstr("adamec-"))));

  expect_success(run("touch context.yaml"));
  result = make();
  expect_success(result);
  EXPECT_THAT(result.out, AllOf(HasSubstr("adamec-plan"), Not(HasSubstr("adamec-split")),
                                Not(HasSubstr("adamec-train"))));
}

// A predictor that only the context file names: make learns of it from the depfile.
TEST_F(Pipeline, DepfileNamesThePredictorsOfTheContext) {
  expect_success(run("cp " + model() + " model.pt"));
  expect_success(make("host.predictor"));
  expect_success(run("cp host.predictor other.predictor"));
  expect_success(run("sed -i '/edge,/s/host.predictor/other.predictor/' context.yaml"));
  expect_success(make());
  expect_success(run("touch other.predictor"));
  const CommandResult result = make();
  expect_success(result);
  EXPECT_THAT(result.out, AllOf(HasSubstr("adamec-plan"), Not(HasSubstr("adamec-train"))));
}

TEST_F(Pipeline, CommandsReadAndWritePipes) {
  expect_success(run("adamec-split " + model() + " --input " + kInput + " -o - >a.atoms"));
  expect_success(
      run("adamec-profile - --threads 1 --cpu-load 0 --budget 2s -o - <a.atoms >a.samples"));
  // Sample sets are concatenated like text.
  expect_success(run("cat a.samples a.samples | adamec-train - -o - >host.predictor"));
  const CommandResult result = run("adamec-split " + model() + " --input " + kInput +
                                   " -o - | adamec-plan - --context context.yaml --format json");
  expect_success(result);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"latency_ms\""), HasSubstr("\"placement\"")));
}

// What reaches a pipe is exactly what reaches a file, and twice the same.
TEST_F(Pipeline, SplitWritesTheSameBytesToPipeAndFile) {
  const std::string split = "adamec-split " + model() + " --input " + kInput;
  expect_success(run(split + " -o a.atoms"));
  expect_success(run(split + " -o - >b.atoms"));
  expect_success(run("cmp a.atoms b.atoms"));
}

}  // namespace
}  // namespace adamec::testing
