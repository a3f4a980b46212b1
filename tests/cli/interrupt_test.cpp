// adamec-split interrupted while it writes: the output is there whole or not at all.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "tests/support/run_command.h"

namespace adamec::testing {
namespace {

constexpr int kTries = 12;

bool is_temporary(const std::string& name) { return name.find(".tmp.") != std::string::npos; }

// Starts the command in `folder`, waits until its temporary file appears, then sends the signal.
// Returns whether the file had appeared before the command ended.
bool interrupt_while_writing(const TemporaryFolder& folder, int signal) {
  const std::string tool = std::string(ADAMEC_BIN_DIR) + "/adamec-split";
  const std::string model = source_path("models/squeezenet1_1_small.traced.pt");
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int other : {SIGINT, SIGTERM, SIGHUP}) std::signal(other, SIG_DFL);  // not ignored
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);
    if (::chdir(folder.path().c_str()) != 0) ::_exit(126);
    ::execl(tool.c_str(), tool.c_str(), model.c_str(), "--input", "float32[1,3,224,224]",
            "--no-verify", "-o", "s.atoms", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  bool caught = false;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    for (const std::string& name : folder.list()) caught = caught || is_temporary(name);
    if (caught) break;
    ::usleep(200);
  }
  if (caught) {
    ::kill(child, signal);
    ::waitpid(child, &status, 0);
    // It may have come to its end before the signal came.
    const bool ended_by_it = WIFSIGNALED(status) && WTERMSIG(status) == signal;
    EXPECT_TRUE(ended_by_it || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  return caught;
}

class Interrupt : public ::testing::TestWithParam<int> {};

TEST_P(Interrupt, LeavesAWholeFileOrNone) {
  const TemporaryFolder reference;
  const CommandResult whole =
      run_command("adamec-split -q " + source_path("models/squeezenet1_1_small.traced.pt") +
                      " --input 'float32[1,3,224,224]' --no-verify -o s.atoms",
                  reference.path());
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  int caught = 0;
  int absent = 0;
  for (int i = 0; i < kTries && absent < 3; ++i) {
    const TemporaryFolder folder;
    caught += interrupt_while_writing(folder, GetParam());
    bool finished = false;
    for (const std::string& name : folder.list()) {
      if (name == "s.atoms") {
        finished = true;
        EXPECT_EQ(folder.read(name), reference.read(name));
      } else {
        // Nobody can clean up after kill -9: a temporary file of that name may stay.
        EXPECT_TRUE(GetParam() == SIGKILL && is_temporary(name)) << name;
      }
    }
    absent += !finished;
  }
  EXPECT_GT(caught, 0);
  std::cout << "interrupted " << caught << " times while writing, " << absent
            << " times before the file was there\n";
}

// The old file stays as it was.
TEST_P(Interrupt, LeavesTheOldFileWhole) {
  const TemporaryFolder folder;
  folder.write("s.atoms", "old");
  interrupt_while_writing(folder, GetParam());
  const std::string content = folder.read("s.atoms");
  EXPECT_TRUE(content == "old" || content.size() > 1'000'000) << content.size();
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupt, ::testing::Values(SIGINT, SIGTERM, SIGHUP, SIGKILL));

}  // namespace
}  // namespace adamec::testing
