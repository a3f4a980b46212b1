#pragma once

#include <span>

namespace adamec::measure {

// Work whose time is measured. Replaced in tests.
class Runnable {
 public:
  virtual ~Runnable() = default;
  // Runs the work once. Throws Error when it fails.
  virtual void run() = 0;
  // How long each step of the last run took; empty where the work has no steps.
  [[nodiscard]] virtual std::span<const double> step_us() const { return {}; }
};

}  // namespace adamec::measure
