#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/base/interrupt_undo.h"

// Limits on memory and CPU time by control groups, version 1 or 2, whichever the host has.
namespace adamec::machine {

// Where this process stands in one controller's hierarchy.
struct ControlGroupPlace {
  bool unified = false;  // version 2
  std::string folder;    // of the process's group: "/sys/fs/cgroup/memory/user"; empty: none
};

// From the texts of /proc/self/cgroup and /proc/self/mountinfo.
[[nodiscard]] ControlGroupPlace find_control_group(const std::string& cgroup,
                                                   const std::string& mountinfo,
                                                   const std::string& controller);

// A group of its own below the process's present one, for one controller. The process (and the
// processes it starts from then on) belongs to it until this is destroyed, or a signal ends the
// process (adamec/base/interrupt_undo.h); then the group is removed. In version 2, where a process
// is in one group only, those made later share the first one's, and must be destroyed before it.
class ControlGroup {
 public:
  enum class Controller { kMemory, kCpu };

  // Throws Error saying what the host lacks or does not permit.
  explicit ControlGroup(Controller controller);
  // Below the group `parent`, to which the process returns.
  ControlGroup(Controller controller, ControlGroupPlace parent);
  ~ControlGroup();
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  // Removes the group of a process that was killed.
  static void remove_left_behind(Controller controller, int process);

  // Memory only. In bytes; 0: none. Throws Error when the system refuses it.
  void limit_memory(std::uint64_t bytes);
  // CPU only. CPU seconds per second, over all CPUs; 0: no limit. Throws Error when the system
  // refuses it.
  void limit_cpu(double cpus);

 private:
  void make();
  void join();
  void hand_on();
  void leave() noexcept;
  void write(const std::string& file, const std::string& text);

  Controller controller_;
  ControlGroupPlace parent_;
  std::string name_;  // "memory"
  std::string folder_;
  bool shared_ = false;              // version 2: the group of another controller's ControlGroup
  bool handed_on_ = false;           // version 2: by this, not before
  std::vector<InterruptUndo> undo_;  // what leave() does, in the opposite order
};

}  // namespace adamec::machine
