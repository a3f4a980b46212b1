#include "adamec/machine/isolated.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "adamec/base/error.h"

namespace adamec::machine {
namespace {

TEST(Isolated, TellsResultsErrorsAndSignals) {
  EXPECT_EQ(run_isolated([] { return std::string(300'000, 'x'); }).bytes.size(), 300'000U);
  EXPECT_EQ(run_isolated([] { return std::string(); }).failure, "");
  EXPECT_EQ(run_isolated([]() -> std::string { fail("it broke"); }).failure, "it broke");
  const IsolatedResult killed = run_isolated([]() -> std::string {
    ::kill(::getpid(), SIGKILL);
    return "";
  });
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(run_isolated([]() -> std::string { ::_exit(3); }).failure,
            "the measuring process ended without a result");
}

}  // namespace
}  // namespace adamec::machine
