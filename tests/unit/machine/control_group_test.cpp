#include "adamec/machine/control_group.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "adamec/base/file.h"
#include "adamec/base/interrupt_undo.h"
#include "tests/support/run_command.h"
#include "tests/unit/machine/test_helpers.h"

namespace adamec::machine {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::TemporaryFolder;

TEST(ControlGroup, IsFoundInBothVersions) {
  const std::string one = "9:name=systemd:/\n4:memory:/user/x\n1:cpu,cpuacct:/\n0::/\n";
  const std::string mounts =
      "30 24 0:26 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw\n"
      "31 24 0:27 / /sys/fs/cgroup/memory rw shared:6 - cgroup cgroup rw,memory\n"
      "32 24 0:28 / /sys/fs/cgroup/cpu rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n";
  EXPECT_EQ(find_control_group(one, mounts, "memory").folder, "/sys/fs/cgroup/memory/user/x");
  EXPECT_FALSE(find_control_group(one, mounts, "memory").unified);
  EXPECT_EQ(find_control_group(one, mounts, "cpu").folder, "/sys/fs/cgroup/cpu");

  const std::string two = "30 24 0:26 / /sys/fs/cgroup rw shared:5 - cgroup2 cgroup2 rw\n";
  const ControlGroupPlace place = find_control_group("0::/user.slice/a.scope\n", two, "memory");
  EXPECT_TRUE(place.unified);
  EXPECT_EQ(place.folder, "/sys/fs/cgroup/user.slice/a.scope");
  // In a container that sees its own part only.
  const std::string part = "30 24 0:26 /docker/7 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(find_control_group("0::/docker/7/x\n", part, "cpu").folder, "/sys/fs/cgroup/x");
  EXPECT_EQ(find_control_group("0::/\n", "22 1 8:1 / / rw - ext4 /dev/sda rw\n", "cpu").folder, "");
}

// A hierarchy of plain files. Its groups cannot be made, for they would have no files; but one that
// a process of this number left behind is there.
class FakeHierarchy {
 public:
  FakeHierarchy() {
    fs::create_directory(folder_.path(group_));
    folder_.write("cgroup.procs", "1\n");
    folder_.write(group_ + "/cgroup.procs", "");
  }
  std::string root() const { return folder_.path(); }
  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }
  std::string read(const std::string& name) const { return folder_.read(name); }
  std::string read_own(const std::string& name) const { return folder_.read(group_ + "/" + name); }
  void write_own(const std::string& name, const std::string& text) const {
    folder_.write(group_ + "/" + name, text);
  }
  std::string own_folder() const { return folder_.path(group_); }

 private:
  const TemporaryFolder folder_;
  const std::string group_ = "adamec-" + std::to_string(::getpid());
};

const std::string kSelf = std::to_string(::getpid());

TEST(ControlGroup, TakesOverAnEmptyGroupAndLeavesIt) {
  const FakeHierarchy host;
  host.write_own("memory.limit_in_bytes", "8388608");
  {
    ControlGroup group(ControlGroup::Controller::kMemory, {false, host.root()});
    EXPECT_EQ(host.read_own("cgroup.procs"), kSelf);
    group.limit_memory(1 << 20);
    EXPECT_EQ(host.read_own("memory.limit_in_bytes"), "1048576");
    group.limit_memory(0);
    EXPECT_EQ(host.read_own("memory.limit_in_bytes"), "-1");
  }
  EXPECT_EQ(host.read("cgroup.procs"), kSelf);
}

TEST(ControlGroup, IsLeftAfterASignal) {
  const FakeHierarchy host;
  const ControlGroup group(ControlGroup::Controller::kCpu, {false, host.root()});
  EXPECT_EQ(host.read("cgroup.procs"), "1\n");
  undo_after_interrupt();
  EXPECT_EQ(host.read("cgroup.procs"), kSelf);
}

TEST(ControlGroup, TakesOverNoGroupThatIsInUse) {
  const FakeHierarchy host;
  host.write_own("cgroup.procs", "1\n");
  EXPECT_EQ(error_of([&] {
              ControlGroup(ControlGroup::Controller::kMemory, {false, host.root()});
            }),
            "memory limit: cannot make the control group " + host.own_folder() + ": File exists");
  EXPECT_EQ(host.read_own("cgroup.procs"), "1\n");
}

TEST(ControlGroup, EndsWhatItHandedOn) {
  const FakeHierarchy host;
  host.write("cgroup.subtree_control", "");
  {
    const ControlGroup group(ControlGroup::Controller::kMemory, {true, host.root()});
    EXPECT_EQ(host.read("cgroup.subtree_control"), "+memory");
  }
  EXPECT_EQ(host.read("cgroup.subtree_control"), "-memory");
  EXPECT_EQ(host.read("cgroup.procs"), kSelf);
  // Unless it was so before.
  host.write("cgroup.subtree_control", "cpu memory\n");
  host.write_own("cgroup.procs", "");
  { const ControlGroup group(ControlGroup::Controller::kMemory, {true, host.root()}); }
  EXPECT_EQ(host.read("cgroup.subtree_control"), "cpu memory\n");
}

// In version 2 a process is in one group, whose limits are of all controllers.
TEST(ControlGroup, IsSharedInVersionTwo) {
  const FakeHierarchy host;
  host.write("cgroup.subtree_control", "");
  host.write_own("cpu.max", "max");
  const ControlGroup memory(ControlGroup::Controller::kMemory, {true, host.root()});
  {
    ControlGroup cpu(ControlGroup::Controller::kCpu, {true, host.own_folder()});
    EXPECT_EQ(host.read("cgroup.subtree_control"), "+cpu");
    cpu.limit_cpu(0.5);
    EXPECT_EQ(host.read_own("cpu.max"), "10000 20000");
  }
  EXPECT_EQ(host.read("cgroup.subtree_control"), "-cpu");
  EXPECT_EQ(host.read("cgroup.procs"), "1\n");  // still in the first one's
}

TEST(ControlGroup, SaysWhatTheHostLacks) {
  EXPECT_EQ(error_of([] {
              ControlGroup(ControlGroup::Controller::kCpu, {false, ""});
            }),
            "cpu limit: the host has no control groups for it");
  const TemporaryFolder empty;  // no hierarchy: a new folder has no files
  EXPECT_NE(error_of([&] {
              ControlGroup(ControlGroup::Controller::kCpu, {false, empty.path()});
            }).find("cpu limit: cannot write "),
            std::string::npos);
  EXPECT_TRUE(empty.list().empty());
}

// The kernel's own groups, where this process may make some. In a process of its own, which may be
// ended in the midst of it.
class RealControlGroup : public ::testing::TestWithParam<ControlGroup::Controller> {
 protected:
  // Exit code of the child: 0 done, 77 not permitted here.
  static int in_child(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        work();
      } catch (const std::exception&) {
        ::_exit(77);
      }
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    last_child = child;
    return WEXITSTATUS(status);
  }

  static std::string folder_of(pid_t process) {
    const std::string controller =
        GetParam() == ControlGroup::Controller::kMemory ? "memory" : "cpu";
    const ControlGroupPlace place = find_control_group(
        read_file("/proc/self/cgroup"), read_file("/proc/self/mountinfo"), controller);
    return place.folder + "/adamec-" + std::to_string(process);
  }

  static inline pid_t last_child = 0;
};

TEST_P(RealControlGroup, IsGoneAfterASignal) {
  const int code = in_child([] {
    const ControlGroup group(GetParam());
    undo_after_interrupt();
    ::_exit(0);  // without destructors
  });
  if (code == 77) GTEST_SKIP() << "skipped: no control groups for this process";
  ASSERT_EQ(code, 0);
  EXPECT_FALSE(fs::exists(folder_of(last_child)));
}

TEST_P(RealControlGroup, IsMadeAnewWhereAnEmptyOneIsLeft) {
  const int code = in_child([] {
    const std::string folder = folder_of(::getpid());
    if (!fs::create_directory(folder)) ::_exit(1);
    {
      const ControlGroup group(GetParam());
      const std::string processes = read_file(folder + "/cgroup.procs");
      if (processes.find(std::to_string(::getpid())) == std::string::npos) ::_exit(2);
    }
    if (fs::exists(folder)) ::_exit(3);
  });
  if (code == 77) GTEST_SKIP() << "skipped: no control groups for this process";
  EXPECT_EQ(code, 0);
}

INSTANTIATE_TEST_SUITE_P(Controllers, RealControlGroup,
                         ::testing::Values(ControlGroup::Controller::kMemory,
                                           ControlGroup::Controller::kCpu));

}  // namespace
}  // namespace adamec::machine
