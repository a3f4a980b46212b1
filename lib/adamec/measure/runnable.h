#pragma once

namespace adamec::measure {

// Work whose time is measured. Replaced in tests.
class Runnable {
 public:
  virtual ~Runnable() = default;
  // Runs the work once. Throws Error when it fails.
  virtual void run() = 0;
};

}  // namespace adamec::measure
