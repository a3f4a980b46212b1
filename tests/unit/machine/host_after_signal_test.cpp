// A tool that has set a limit on the host is ended: the host is as it was before.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/machine/frequency.h"
#include "adamec/machine/isolated.h"
#include "tests/support/run_command.h"
#include "tools/common/run_tool.h"

namespace adamec::machine {
namespace {

using testing::TemporaryFolder;

// Runs `work` as a tool's body in a process of its own, which calls the function it is given when
// the host is changed, and then waits for what ends it.
class Tool {
 public:
  using Work = std::function<void(const std::function<void()>& changed)>;

  explicit Tool(const Work& work, int ignored_signal = 0) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    process_ = ::fork();
    if (process_ == 0) run(work, ignored_signal, ends[1]);
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1) << "the tool ended before it had changed anything";
    ::close(ends[0]);
  }

  pid_t process() const { return process_; }
  // Its status, as waitpid() tells it.
  int wait() const {
    int status = 0;
    EXPECT_EQ(::waitpid(process_, &status, 0), process_);
    return status;
  }

 private:
  [[noreturn]] static void run(const Work& work, int ignored_signal, int ready) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(signal, SIG_DFL);
    if (ignored_signal != 0) std::signal(ignored_signal, SIG_IGN);
    char name[] = "tool";
    char* arguments[] = {name, nullptr};
    const tools::ToolInfo info{"tool", "", "", ""};
    const int code = tools::run_tool(
        1, arguments, info, [](CLI::App&) {},
        [&](const tools::CommonOptions&, const tools::Console&) {
          work([ready] { [[maybe_unused]] const ssize_t written = ::write(ready, "x", 1); });
          return tools::kDone;
        });
    ::_exit(code);
  }

  pid_t process_ = -1;
};

class FakeHost {
 public:
  FakeHost() {
    for (const char* cpu : {"cpu0", "cpu1"}) {
      const std::string folder = std::string(cpu) + "/cpufreq";
      std::filesystem::create_directories(folder_.path(folder));
      folder_.write(folder + "/scaling_max_freq", "2000000");
      folder_.write(folder + "/cpuinfo_max_freq", "3000000");
      folder_.write(folder + "/cpuinfo_min_freq", "800000");
    }
    folder_.write("cgroup.procs", "1");
  }
  std::string path(const std::string& name = "") const { return folder_.path(name); }
  std::string limit(const std::string& cpu) const {
    return folder_.read(cpu + "/cpufreq/scaling_max_freq");
  }
  // Waits a while for what another process does.
  bool becomes(const std::string& cpu, const std::string& limit_khz) const {
    for (int i = 0; i < 2000; ++i) {
      if (limit(cpu) == limit_khz) return true;
      ::usleep(5000);
    }
    return false;
  }
  std::vector<std::string> files() const { return folder_.list(); }

 private:
  const TemporaryFolder folder_;
};

void wait_for_the_end() {
  for (;;) ::pause();
}

class HostAfterSignal : public ::testing::TestWithParam<int> {};

TEST_P(HostAfterSignal, IsAsItWas) {
  const FakeHost host;
  const std::vector<std::string> files = host.files();
  const Tool tool([&](const auto& changed) {
    OutputFile file(host.path("output"));
    FrequencyLimit limit({0, 1}, host.path());
    limit.set(0.5);
    changed();
    wait_for_the_end();
  });
  EXPECT_EQ(host.limit("cpu0"), "1500000");
  EXPECT_EQ(host.limit("cpu1"), "1500000");
  ::kill(tool.process(), GetParam());
  const int status = tool.wait();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), GetParam());
  EXPECT_EQ(host.limit("cpu0"), "2000000");
  EXPECT_EQ(host.limit("cpu1"), "2000000");
  EXPECT_EQ(host.files(), files);
}

INSTANTIATE_TEST_SUITE_P(Signals, HostAfterSignal,
                         ::testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT));

// The measuring process of memory limits changes the host, too. The end of the process that waits
// for it, even by SIGKILL, ends it as a signal of its own would.
class HostAfterParentsSignal : public ::testing::TestWithParam<int> {};

TEST_P(HostAfterParentsSignal, IsAsItWas) {
  const FakeHost host;
  const Tool tool([&](const auto& changed) {
    [[maybe_unused]] const IsolatedResult result = run_isolated([&]() -> std::string {
      FrequencyLimit limit({1}, host.path());
      limit.set(0.5);
      changed();
      wait_for_the_end();
      return "";
    });
  });
  EXPECT_EQ(host.limit("cpu1"), "1500000");
  ::kill(tool.process(), GetParam());
  EXPECT_EQ(WTERMSIG(tool.wait()), GetParam());
  EXPECT_TRUE(host.becomes("cpu1", "2000000"));
}

INSTANTIATE_TEST_SUITE_P(Signals, HostAfterParentsSignal, ::testing::Values(SIGTERM, SIGKILL));

TEST(HostAfterError, IsAsItWas) {
  const FakeHost host;
  for (const bool internal : {false, true}) {
    const Tool tool([&](const auto& changed) {
      FrequencyLimit limit({0}, host.path());
      limit.set(0.5);
      changed();
      if (internal) throw std::logic_error("broken");
      fail("broken");
    });
    const int status = tool.wait();
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), internal ? tools::kInternalError : tools::kFailed);
    EXPECT_EQ(host.limit("cpu0"), "2000000");
  }
}

TEST(HostAfterAbort, IsAsItWas) {
  const FakeHost host;
  const Tool tool([&](const auto& changed) {
    FrequencyLimit limit({0}, host.path());
    limit.set(0.5);
    changed();
    std::abort();
  });
  EXPECT_EQ(WTERMSIG(tool.wait()), SIGABRT);
  EXPECT_EQ(host.limit("cpu0"), "2000000");
}

// nohup: who has a signal ignored when a tool starts wants it to go on.
TEST(HostAfterIgnoredSignal, IsNotTouched) {
  const FakeHost host;
  const auto work = [&](const auto& changed) {
    FrequencyLimit limit({0}, host.path());
    limit.set(0.5);
    changed();
    wait_for_the_end();
  };
  const Tool tool(work, SIGHUP);
  ::kill(tool.process(), SIGHUP);
  ::kill(tool.process(), SIGTERM);
  EXPECT_EQ(WTERMSIG(tool.wait()), SIGTERM);
}

}  // namespace
}  // namespace adamec::machine
