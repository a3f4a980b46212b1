#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_command.h"

// LibTorch takes a second to load. The commands that people run again and again must not need it.
namespace adamec::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string libraries_of(const std::string& tool) {
  const CommandResult result = run_command("ldd \"$(command -v " + tool + ")\"");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("libc.so"));
  return result.out;
}

TEST(Linkage, PlanLoadsNeitherLibTorchNorXgboost) {
  const std::string libraries = libraries_of("adamec-plan");
  EXPECT_THAT(libraries, Not(HasSubstr("libtorch")));
  EXPECT_THAT(libraries, Not(HasSubstr("libc10")));
  EXPECT_THAT(libraries, Not(HasSubstr("xgboost")));
}

TEST(Linkage, TrainDoesNotLoadLibTorch) {
  const std::string libraries = libraries_of("adamec-train");
  EXPECT_THAT(libraries, Not(HasSubstr("libtorch")));
  EXPECT_THAT(libraries, Not(HasSubstr("libc10")));
}

}  // namespace
}  // namespace adamec::testing
