#include "adamec/machine/frequency.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "adamec/base/interrupt_undo.h"
#include "tests/support/run_command.h"
#include "tests/unit/machine/test_helpers.h"

namespace adamec::machine {
namespace {

using testing::error_of;

// What cpufreq shows of a CPU.
void make_cpu(const testing::TemporaryFolder& root, const std::string& cpu,
              const std::string& limit_khz) {
  std::filesystem::create_directories(root.path(cpu + "/cpufreq"));
  root.write(cpu + "/cpufreq/scaling_max_freq", limit_khz + "\n");
  root.write(cpu + "/cpufreq/cpuinfo_max_freq", "3000000\n");
  root.write(cpu + "/cpufreq/cpuinfo_min_freq", "800000\n");
}

TEST(FrequencyLimit, SetsAndRestores) {
  const testing::TemporaryFolder root;
  make_cpu(root, "cpu0", "2000000");
  {
    FrequencyLimit limit({0}, root.path());
    limit.set(0.5);
    EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "1500000");
    limit.set(0.1);
    EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "800000");
    limit.set(0);
    EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "2000000");
    limit.set(0.9);
  }
  EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "2000000");
}

TEST(FrequencyLimit, IsTakenBackAfterASignal) {
  const testing::TemporaryFolder root;
  make_cpu(root, "cpu0", "2000000");
  make_cpu(root, "cpu3", "2500000");
  FrequencyLimit limit({0, 3}, root.path());
  for (const double share : {0.5, 0.9}) {
    limit.set(share);
    undo_after_interrupt();
    EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "2000000");
    EXPECT_EQ(root.read("cpu3/cpufreq/scaling_max_freq"), "2500000");
  }
}

// The second CPU's is missing: the first one's is as it was.
TEST(FrequencyLimit, SaysWhatTheHostLacks) {
  const testing::TemporaryFolder root;
  make_cpu(root, "cpu0", "2000000");
  EXPECT_EQ(error_of([&] {
              FrequencyLimit({0, 1}, root.path());
            }),
            "frequency limit: the host does not offer it (no " +
                root.path("cpu1/cpufreq/scaling_max_freq") + ")");
  EXPECT_EQ(root.read("cpu0/cpufreq/scaling_max_freq"), "2000000");
}

}  // namespace
}  // namespace adamec::machine
