#pragma once

#include <sys/types.h>

#include <vector>

#include "adamec/machine/affinity.h"

namespace adamec::machine {

// Other processes that want the CPU: one child per CPU, pinned to it, that uses a share of its time
// in bursts of a few milliseconds. The children are idle at first, end with the parent (even when
// it is killed) and are reaped by the destructor.
//
// Make it before anything large is loaded: a fork makes the parent copy the pages it writes next.
class LoadGenerator {
 public:
  // Throws Error when a child cannot be started or pinned.
  explicit LoadGenerator(const CpuList& cpus);
  ~LoadGenerator();
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;

  // The share of every CPU's time that the children ask for, 0 to 0.95; 0: idle. What they get
  // depends on who else runs there. Throws Error when a child has died.
  void set_load(double share);
  // Ends and reaps the children; returns the CPU time they used, in seconds.
  double stop();

 private:
  struct Child {
    pid_t pid = -1;
    int socket = -1;
    int cpu = 0;
  };
  void start(int cpu);

  std::vector<Child> children_;
  double used_seconds_ = 0;
};

inline constexpr double kLargestLoad = 0.95;

}  // namespace adamec::machine
