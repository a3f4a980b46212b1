#pragma once

#include <functional>
#include <string>

namespace adamec::machine {

// What work in a process of its own came to.
struct IsolatedResult {
  std::string bytes;    // what the work returned
  std::string failure;  // the Error it threw; empty: none
  int signal = 0;       // that killed it; 0: none
  int process = 0;      // its id
};

// Runs the work in a forked process and waits for it: for work that the system may kill. The
// process handles signals as this one does, and gets SIGTERM when this one ends. To be called
// before this process has used several threads. Throws Error when no process can be made.
[[nodiscard]] IsolatedResult run_isolated(const std::function<std::string()>& work);

}  // namespace adamec::machine
