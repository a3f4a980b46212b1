#pragma once

#include <cstdint>
#include <memory>
#include <string>

// Limits on memory and CPU time by control groups, version 1 or 2, whichever the host has.
namespace adamec::machine {

// Where this process stands in one controller's hierarchy.
struct ControlGroupPlace {
  bool unified = false;  // version 2
  std::string folder;    // of the process's group: "/sys/fs/cgroup/memory/user"; empty: none
};

// From the texts of /proc/self/cgroup and /proc/self/mountinfo.
ControlGroupPlace find_control_group(const std::string& cgroup, const std::string& mountinfo,
                                     const std::string& controller);

// A group of its own below the process's present one, for one controller. The process (and the
// processes it starts from then on) belongs to it until this is destroyed.
class ControlGroup {
 public:
  enum class Controller { kMemory, kCpu };

  // Throws Error saying what the host lacks or does not permit.
  explicit ControlGroup(Controller controller);
  ~ControlGroup();
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  // Removes the group of a process that was killed.
  static void remove_left_behind(Controller controller, int process);

  // Memory only. 0: none.
  void limit_memory(std::uint64_t bytes);
  // CPU only. CPU seconds per second, over all CPUs; 0: no limit.
  void limit_cpu(double cpus);

 private:
  void join();
  void write(const std::string& file, const std::string& text);

  ControlGroupPlace parent_;
  std::string name_;  // "memory"
  std::string folder_;
};

}  // namespace adamec::machine
