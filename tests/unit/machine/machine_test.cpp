#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "adamec/machine/load_generator.h"
#include "adamec/machine/machine.h"
#include "tests/unit/machine/test_helpers.h"

namespace adamec::machine {
namespace {

using testing::error_of;
using testing::make_context;

TEST(CpuList, ReadsAndWritesRanges) {
  EXPECT_EQ(parse_cpu_list("0", "f"), (CpuList{0}));
  EXPECT_EQ(parse_cpu_list("7,0,2-4,3", "f"), (CpuList{0, 2, 3, 4, 7}));
  EXPECT_EQ(format_cpu_list({0, 2, 3, 4, 7, 8}), "0,2-4,7-8");
  EXPECT_EQ(format_cpu_list({}), "");
  for (const char* text : {"", ",", "1,", "a", "1-", "-1", "3-2", "1024", "0x1", "1 2", "1-2-3"}) {
    EXPECT_EQ(error_of([&] { (void)parse_cpu_list(text, "--cpus"); }),
              fmt::format("--cpus: '{}' is not a list of CPUs like 0,2-3", text));
  }
}

TEST(Affinity, RefusesCpusThatAreNotThere) {
  const CpuList before = current_affinity();
  EXPECT_FALSE(before.empty());
  EXPECT_NE(error_of([] { set_affinity({1023}); }).find("CPU 1023 is not available"),
            std::string::npos);
  EXPECT_EQ(current_affinity(), before);
}

constexpr const char* kProcStat =
    "cpu  300 0 90 1600 10 0 0 0 0 0\n"
    "cpu0 100 1 30 800 5 2 3 59 7 0\n"
    "cpu1 200 0 60 800 5 0 0 0 0 0\n"
    "cpu10 9 9 9 9 9 9 9 9 9 9\n"
    "intr 1 2 3\n";

TEST(ProcStat, SumsTheCpusAskedFor) {
  const CpuTicks one = parse_cpu_ticks(kProcStat, {0});
  EXPECT_EQ(one.total, 1000U);  // guest time is in user time already
  EXPECT_EQ(one.busy, 195U);
  const CpuTicks both = parse_cpu_ticks(kProcStat, {0, 1});
  EXPECT_EQ(both.total, 2065U);
  EXPECT_EQ(both.busy, 455U);
  EXPECT_EQ(parse_cpu_ticks("cpu0 1 2 3 4\n", {0}).total, 10U);
}

TEST(ProcStat, RefusesOtherText) {
  EXPECT_EQ(error_of([] {
              (void)parse_cpu_ticks(kProcStat, {0, 2});
            }),
            "/proc/stat: no line for cpu2");
  EXPECT_EQ(error_of([] { (void)parse_cpu_ticks("cpu0 1 2 x\n", {0}); }),
            "/proc/stat: cpu0 has 2 counters, expected at least 4");
  EXPECT_EQ(error_of([] { (void)parse_cpu_ticks("", {0}); }), "/proc/stat: no line for cpu0");
}

TEST(ProcStat, SubtractsOwnTime) {
  EXPECT_DOUBLE_EQ(others_share({100, 1000}, {160, 1100}, 0, 100), 0.6);
  EXPECT_DOUBLE_EQ(others_share({100, 1000}, {160, 1100}, 0.5e6, 100), 0.1);
  EXPECT_DOUBLE_EQ(others_share({100, 1000}, {160, 1100}, 9e6, 100), 0);
  EXPECT_DOUBLE_EQ(others_share({100, 1000}, {100, 1000}, 0, 100), 0);
  EXPECT_DOUBLE_EQ(others_share({160, 1100}, {100, 1000}, 0, 100), 0);
}

TEST(LoadGenerator, UsesTheCpuAndLeavesNoChild) {
  double seconds = 0;
  {
    LoadGenerator generator({current_affinity().front()});
    generator.set_load(0.5);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    generator.set_load(0);
    seconds = generator.stop();
  }
  EXPECT_GT(seconds, 0.01);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(LoadGenerator, IsIdleAtFirst) {
  LoadGenerator generator(current_affinity());
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(generator.stop(), 0.05);
}

TEST(LoadGenerator, RefusesCpusAndLoadsThatCannotBe) {
  EXPECT_NE(error_of([] { LoadGenerator({1023}); }).find("load generator: cannot run on CPU 1023"),
            std::string::npos);
  LoadGenerator generator({current_affinity().front()});
  EXPECT_EQ(error_of([&] { generator.set_load(1.5); }), "CPU load 1.5 is not between 0 and 0.95");
  generator.stop();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Machine, EntersContextsAndSeesTheirLoad) {
  const CpuList cpus{current_affinity().front()};
  const SystemClock clock;
  std::vector<unsigned> threads;
  const std::vector<v1::Context> contexts{make_context(1, 0.9), make_context(2, 0)};
  Machine machine(cpus, contexts, clock, [&](unsigned count) { threads.push_back(count); });
  machine.enter(make_context(1, 0.9));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const v1::Reading loaded = machine.leave();
  EXPECT_GT(loaded.total_ticks(), 0);
  EXPECT_GT(loaded.wall_us(), 200e3);
  EXPECT_GT(loaded.free_memory(), 0U);
  const v1::Context observed = observed_context(contexts[0], loaded);
  EXPECT_GT(observed.cpu_load(), 0.2);
  EXPECT_LE(observed.cpu_pressure(), 1);
  machine.enter(make_context(1, 0));
  machine.enter(make_context(2, 0));
  EXPECT_EQ(threads, (std::vector<unsigned>{1, 2}));
  EXPECT_GT(machine.verify_load(0.9), 0.2);
}

TEST(Machine, CannotMakeLoadWithoutAGenerator) {
  const SystemClock clock;
  Machine machine(current_affinity(), {}, clock, [](unsigned) {});
  EXPECT_EQ(error_of([&] { machine.enter(make_context(1, 0.5)); }),
            "CPU load 0.5: the machine was not made ready for it");
}

}  // namespace
}  // namespace adamec::machine
