#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/machine/control_group.h"
#include "adamec/machine/frequency.h"
#include "adamec/machine/isolated.h"
#include "adamec/machine/observe.h"
#include "adamec/measure/journal.h"
#include "tests/support/run_command.h"
#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Observe, ReadsPressureMemoryAndFrequency) {
  EXPECT_EQ(machine::parse_pressure_us("some avg10=1.50 avg60=0.00 avg300=0.00 total=1234\n"
                                       "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n"),
            1234);
  EXPECT_EQ(machine::parse_pressure_us(""), 0);
  EXPECT_EQ(
      machine::parse_available_bytes("MemTotal: 9 kB\nMemFree: 8 kB\nMemAvailable:    7 kB\n"),
      7U * 1024);
  EXPECT_EQ(machine::parse_available_bytes("MemTotal: 9 kB\n"), 0U);
  const std::string cpuinfo =
      "processor\t: 0\ncpu MHz\t\t: 1000.5\nprocessor\t: 1\ncpu MHz\t\t: 2000\n";
  EXPECT_DOUBLE_EQ(machine::parse_cpuinfo_mhz(cpuinfo, {0}), 1000.5);
  EXPECT_DOUBLE_EQ(machine::parse_cpuinfo_mhz(cpuinfo, {0, 1}), 1500.25);
  EXPECT_EQ(machine::parse_cpuinfo_mhz("processor\t: 0\n", {0}), 0);
}

TEST(Observe, AddsReadings) {
  v1::Reading sum;
  v1::Reading reading;
  reading.set_others_ticks(10);
  reading.set_total_ticks(100);
  reading.set_cpu_waiting_us(50);
  reading.set_wall_us(100);
  reading.set_free_memory(1000);
  reading.set_frequency_sum(2000);
  reading.set_frequencies(1);
  machine::add_reading(sum, reading);
  reading.set_free_memory(900);
  reading.set_frequency_sum(1000);
  reading.set_others_ticks(30);
  machine::add_reading(sum, reading);
  const v1::Context observed = machine::observed_context(testing::make_context(2, 0.5), sum);
  EXPECT_EQ(observed.threads(), 2U);
  EXPECT_DOUBLE_EQ(observed.cpu_load(), 0.2);
  EXPECT_DOUBLE_EQ(observed.cpu_pressure(), 0.5);
  EXPECT_EQ(observed.free_memory(), 900U);
  EXPECT_DOUBLE_EQ(observed.frequency_mhz(), 1500);
  EXPECT_DOUBLE_EQ(machine::observed_context(testing::make_context(2, 0.5), {}).cpu_load(), 0);
}

TEST(ControlGroup, IsFoundInBothVersions) {
  const std::string one = "9:name=systemd:/\n4:memory:/user/x\n1:cpu,cpuacct:/\n0::/\n";
  const std::string mounts =
      "30 24 0:26 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw\n"
      "31 24 0:27 / /sys/fs/cgroup/memory rw shared:6 - cgroup cgroup rw,memory\n"
      "32 24 0:28 / /sys/fs/cgroup/cpu rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n";
  EXPECT_EQ(machine::find_control_group(one, mounts, "memory").folder,
            "/sys/fs/cgroup/memory/user/x");
  EXPECT_FALSE(machine::find_control_group(one, mounts, "memory").unified);
  EXPECT_EQ(machine::find_control_group(one, mounts, "cpu").folder, "/sys/fs/cgroup/cpu");

  const std::string two = "30 24 0:26 / /sys/fs/cgroup rw shared:5 - cgroup2 cgroup2 rw\n";
  const machine::ControlGroupPlace place =
      machine::find_control_group("0::/user.slice/a.scope\n", two, "memory");
  EXPECT_TRUE(place.unified);
  EXPECT_EQ(place.folder, "/sys/fs/cgroup/user.slice/a.scope");
  // In a container that sees its own part only.
  const std::string part = "30 24 0:26 /docker/7 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(machine::find_control_group("0::/docker/7/x\n", part, "cpu").folder,
            "/sys/fs/cgroup/x");
  EXPECT_EQ(
      machine::find_control_group("0::/\n", "22 1 8:1 / / rw - ext4 /dev/sda rw\n", "cpu").folder,
      "");
}

TEST(FrequencyLimit, SetsAndRestores) {
  const testing::TemporaryFolder root;
  std::filesystem::create_directories(root.path("cpu0/cpufreq"));
  root.write("cpu0/cpufreq/scaling_max_freq", "2000000\n");
  root.write("cpu0/cpufreq/cpuinfo_max_freq", "3000000\n");
  root.write("cpu0/cpufreq/cpuinfo_min_freq", "800000\n");
  {
    machine::FrequencyLimit limit({0}, root.path());
    limit.set(0.5);
    EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "1500000");
    limit.set(0.1);
    EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "800000");
    limit.set(0);
    EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "2000000");
    limit.set(0.9);
  }
  EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "2000000");
  EXPECT_EQ(error_of([&] { machine::FrequencyLimit({1}, root.path()); }),
            "frequency: the host does not offer it (no " +
                root.path("cpu1/cpufreq/scaling_max_freq") + ")");
}

TEST(Isolated, TellsResultsErrorsAndSignals) {
  EXPECT_EQ(machine::run_isolated([] { return std::string(300'000, 'x'); }).bytes.size(), 300'000U);
  EXPECT_EQ(machine::run_isolated([] { return std::string(); }).failure, "");
  EXPECT_EQ(machine::run_isolated([]() -> std::string { fail("it broke"); }).failure, "it broke");
  const machine::IsolatedResult killed = machine::run_isolated([]() -> std::string {
    ::kill(::getpid(), SIGKILL);
    return "";
  });
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(machine::run_isolated([]() -> std::string { ::_exit(3); }).failure,
            "ended without a word");
}

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() { host_.set_id("here"); }

  static v1::Visit visit(const std::string& signature) {
    v1::Visit visit;
    visit.set_signature(signature);
    visit.set_block_runs(3);
    visit.add_run_us(5);
    visit.add_run_cpu_us(4);
    return visit;
  }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_.path("h.samples.visits");
  v1::Host host_;
};

TEST_F(JournalTest, KeepsWhatWasAdded) {
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 0);
  v1::Journal earlier;
  *earlier.add_visits() = visit("early");
  JournalFile file(path_, host_, earlier);
  file.add(visit("one"));
  file.add(v1::Reading());
  file.add(visit("two"));
  const v1::Journal journal = read_journal(path_, host_);
  ASSERT_EQ(journal.visits_size(), 3);
  EXPECT_EQ(journal.visits(0).signature(), "early");
  EXPECT_EQ(journal.visits(2).signature(), "two");
  EXPECT_EQ(journal.readings_size(), 1);
  v1::Host other;
  other.set_id("there");
  EXPECT_EQ(read_journal(path_, other).visits_size(), 0);
  file.clear();
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 0);
  file.add(visit("three"));
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 1);
  file.remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(JournalTest, IsReadableWhereverItWasCut) {
  {
    JournalFile file(path_, host_, {});
    for (int i = 0; i < 5; ++i) file.add(visit(std::to_string(i)));
  }
  const std::string bytes = folder_.read("h.samples.visits");
  int most = 0;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    folder_.write("h.samples.visits", bytes.substr(0, size));
    const v1::Journal journal = read_journal(path_, host_);
    ASSERT_GE(journal.visits_size(), most);
    ASSERT_LE(journal.visits_size(), most + 1);
    most = journal.visits_size();
  }
  EXPECT_EQ(most, 5);
  folder_.write("h.samples.visits", bytes + std::string(100, '\0'));
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 5);
}

TEST_F(JournalTest, BelievesNoImpossibleVisit) {
  v1::Visit bad = visit("bad");
  bad.set_run_us(0, -1);
  JournalFile file(path_, host_, {});
  file.add(visit("good"));
  file.add(bad);
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 1);
}

}  // namespace
}  // namespace adamec::measure
