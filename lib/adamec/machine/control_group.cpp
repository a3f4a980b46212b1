#include "adamec/machine/control_group.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/machine/system_file.h"

namespace adamec::machine {
namespace {

constexpr const char* kProcesses = "/cgroup.procs";
constexpr const char* kHandedOn = "/cgroup.subtree_control";
constexpr long kPeriodUs = 20'000;  // of the CPU quota: short, so that a visit spans several

std::vector<std::string> split_text(const std::string& line, char separator) {
  std::vector<std::string> result;
  std::istringstream stream(line);
  for (std::string word; std::getline(stream, word, separator);) result.push_back(word);
  return result;
}

bool has_word(const std::string& list, const std::string& word) {
  for (const std::string& other : split_text(list, ',')) {
    if (other == word) return true;
  }
  return false;
}

// The group's path below its hierarchy's root, by /proc/self/cgroup: "7:memory:/user".
std::string group_path(const std::string& cgroup, const std::string& controller, bool unified) {
  std::istringstream lines(cgroup);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (unified ? controllers.empty() : has_word(controllers, controller)) {
      return line.substr(second + 1);
    }
  }
  return "";
}

}  // namespace

ControlGroupPlace find_control_group(const std::string& cgroup, const std::string& mountinfo,
                                     const std::string& controller) {
  ControlGroupPlace place;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const std::vector<std::string> mount =
        split_text(line.substr(0, dash), ' ');  // 3: root, 4: where
    const std::vector<std::string> type =
        split_text(line.substr(dash + 3), ' ');  // 0: type, 2: options
    if (mount.size() < 5 || type.size() < 3) continue;
    const bool unified = type[0] == "cgroup2";
    if (!unified && (type[0] != "cgroup" || !has_word(type[2], controller))) continue;
    std::string path = group_path(cgroup, controller, unified);
    if (path.empty()) continue;
    // In a container the mount may show only a part of the hierarchy.
    if (mount[3] != "/" && path.rfind(mount[3], 0) == 0) path = path.substr(mount[3].size());
    if (path == "/") path.clear();
    place = {unified, mount[4] + path};
    if (!unified) break;  // a controller is in one version only; version 1 names it
  }
  return place;
}

namespace {

const char* controller_name(ControlGroup::Controller controller) {
  return controller == ControlGroup::Controller::kMemory ? "memory" : "cpu";
}

ControlGroupPlace present_group(ControlGroup::Controller controller) {
  return find_control_group(read_file("/proc/self/cgroup"), read_file("/proc/self/mountinfo"),
                            controller_name(controller));
}

std::string group_name(int process) { return fmt::format("/adamec-{}", process); }

}  // namespace

ControlGroup::ControlGroup(Controller controller)
    : ControlGroup(controller, present_group(controller)) {}

ControlGroup::ControlGroup(Controller controller, ControlGroupPlace parent)
    : controller_(controller), parent_(std::move(parent)), name_(controller_name(controller)) {
  if (parent_.folder.empty()) fail("{} limit: the host has no control groups for it", name_);
  const std::string own = group_name(::getpid());
  shared_ = parent_.unified && parent_.folder.ends_with(own);
  if (shared_) parent_.folder.erase(parent_.folder.size() - own.size());
  folder_ = parent_.folder + own;
  if (!shared_) make();
  try {
    if (!shared_) join();
    if (parent_.unified) hand_on();
  } catch (...) {
    leave();
    throw;
  }
}

// A group of that name was left behind by a process that was killed: their numbers come again. Made
// anew, it has none of the old limits.
void ControlGroup::make() {
  undo_.emplace_back(UndoAction::kRemoveFolder, folder_);
  const auto try_make = [this] { return ::mkdir(folder_.c_str(), 0755) == 0 ? 0 : errno; };
  int error = try_make();
  if (error == EEXIST) {
    ::rmdir(folder_.c_str());
    error = try_make();
  }
  if (error == EEXIST && read_system_file(folder_ + kProcesses).empty()) return;
  if (error != 0) {
    fail("{} limit: cannot make the control group {}: {}", name_, folder_, std::strerror(error));
  }
}

void ControlGroup::remove_left_behind(Controller controller, int process) {
  const ControlGroupPlace parent = present_group(controller);
  if (!parent.folder.empty()) ::rmdir((parent.folder + group_name(process)).c_str());
}

ControlGroup::~ControlGroup() { leave(); }

void ControlGroup::leave() noexcept {
  const std::string process = std::to_string(::getpid());
  // Errors leave an empty group at worst.
  [[maybe_unused]] int ignored = 0;
  if (handed_on_) ignored = write_system_file(parent_.folder + kHandedOn, "-" + name_);
  if (shared_) return;
  ignored = write_system_file(parent_.folder + kProcesses, process);
  ::rmdir(folder_.c_str());
}

void ControlGroup::join() {
  const std::string process = std::to_string(::getpid());
  undo_.emplace_back(UndoAction::kWriteText, parent_.folder + kProcesses, process);
  write("cgroup.procs", process);
}

// Version 2 hands a controller on only from groups without processes. As it takes none back into a
// group that hands one on, the process could not return to it: leave() ends that first.
void ControlGroup::hand_on() {
  const std::string file = parent_.folder + kHandedOn;
  std::istringstream handed_on(read_system_file(file));
  for (std::string word; handed_on >> word;) {
    if (word == name_) return;
  }
  undo_.emplace_back(UndoAction::kWriteText, file, "-" + name_);
  const int error = write_system_file(file, "+" + name_);
  handed_on_ = error == 0;
  if (handed_on_) return;
  fail(
      "{} limit: {} does not hand the controller on ({}); run in a control group of your own, as "
      "by 'systemd-run --user --scope -p Delegate=yes adamec-profile ...'",
      name_, parent_.folder, std::strerror(error));
}

void ControlGroup::write(const std::string& file, const std::string& text) {
  const std::string path = folder_ + "/" + file;
  const int error = write_system_file(path, text);
  if (error != 0) {
    fail("{} limit: cannot write {} to {}: {}", name_, text, path, std::strerror(error));
  }
}

void ControlGroup::limit_memory(std::uint64_t bytes) {
  assert(controller_ == Controller::kMemory);
  const std::string none = parent_.unified ? "max" : "-1";
  write(parent_.unified ? "memory.max" : "memory.limit_in_bytes",
        bytes == 0 ? none : std::to_string(bytes));
}

void ControlGroup::limit_cpu(double cpus) {
  assert(controller_ == Controller::kCpu && cpus >= 0);
  const long quota = static_cast<long>(cpus * static_cast<double>(kPeriodUs));
  if (parent_.unified) {
    write("cpu.max", cpus > 0 ? fmt::format("{} {}", quota, kPeriodUs) : "max");
    return;
  }
  write("cpu.cfs_period_us", std::to_string(kPeriodUs));
  write("cpu.cfs_quota_us", cpus > 0 ? std::to_string(quota) : "-1");
}

}  // namespace adamec::machine
