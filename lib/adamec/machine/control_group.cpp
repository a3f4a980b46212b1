#include "adamec/machine/control_group.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/base/file.h"

namespace adamec::machine {
namespace {

constexpr long kPeriodUs = 20'000;  // of the CPU quota: short, so that a visit spans several

std::vector<std::string> words(const std::string& line, char separator) {
  std::vector<std::string> result;
  std::istringstream stream(line);
  for (std::string word; std::getline(stream, word, separator);) result.push_back(word);
  return result;
}

bool has_word(const std::string& list, const std::string& word) {
  for (const std::string& item : words(list, ',')) {
    if (item == word) return true;
  }
  return false;
}

// 0 or the error's number.
int try_write(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const bool done = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = done ? 0 : errno;
  ::close(file);
  return error;
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
    const std::vector<std::string> mount = words(line.substr(0, dash), ' ');  // 3: root, 4: where
    const std::vector<std::string> type = words(line.substr(dash + 3), ' ');  // 0: type, 2: options
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

std::string group_folder(const ControlGroupPlace& parent, int process) {
  return fmt::format("{}/adamec-{}", parent.folder, process);
}

}  // namespace

ControlGroup::ControlGroup(Controller controller)
    : parent_(present_group(controller)), name_(controller_name(controller)) {
  if (parent_.folder.empty()) fail("{} limit: the host has no control groups for it", name_);
  folder_ = group_folder(parent_, ::getpid());
  if (::mkdir(folder_.c_str(), 0755) != 0) {
    fail("{} limit: cannot make a control group in {}: {}", name_, parent_.folder,
         std::strerror(errno));
  }
  try {
    join();
  } catch (...) {
    ::rmdir(folder_.c_str());
    throw;
  }
}

void ControlGroup::remove_left_behind(Controller controller, int process) {
  const ControlGroupPlace parent = present_group(controller);
  if (!parent.folder.empty()) ::rmdir(group_folder(parent, process).c_str());
}

ControlGroup::~ControlGroup() {
  try_write(parent_.folder + "/cgroup.procs", std::to_string(::getpid()));
  ::rmdir(folder_.c_str());
}

void ControlGroup::join() {
  write("cgroup.procs", std::to_string(::getpid()));
  if (!parent_.unified) return;
  // Version 2 hands a controller on only from groups without processes.
  const int error = try_write(parent_.folder + "/cgroup.subtree_control", "+" + name_);
  if (error == 0) return;
  try_write(parent_.folder + "/cgroup.procs", std::to_string(::getpid()));
  fail(
      "{} limit: {} does not hand the controller on ({}); run in a control group of your own, as "
      "by 'systemd-run --user --scope -p Delegate=yes adamec-profile ...'",
      name_, parent_.folder, std::strerror(error));
}

void ControlGroup::write(const std::string& file, const std::string& text) {
  const std::string path = folder_ + "/" + file;
  const int error = try_write(path, text);
  if (error != 0)
    fail("{} limit: cannot write {} to {}: {}", name_, text, path, std::strerror(error));
}

void ControlGroup::limit_memory(std::uint64_t bytes) {
  const std::string none = parent_.unified ? "max" : "-1";
  write(parent_.unified ? "memory.max" : "memory.limit_in_bytes",
        bytes == 0 ? none : std::to_string(bytes));
}

void ControlGroup::limit_cpu(double cpus) {
  const long quota = static_cast<long>(cpus * static_cast<double>(kPeriodUs));
  if (parent_.unified) {
    write("cpu.max", cpus > 0 ? fmt::format("{} {}", quota, kPeriodUs) : "max");
    return;
  }
  write("cpu.cfs_period_us", std::to_string(kPeriodUs));
  write("cpu.cfs_quota_us", cpus > 0 ? std::to_string(quota) : "-1");
}

}  // namespace adamec::machine
