#pragma once

namespace adamec::measure {

// Time as the timing protocol sees it. Replaced in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual double wall_us() const = 0;  // monotonic
  virtual double cpu_us() const = 0;   // CPU time of this process, all its threads
};

class SystemClock final : public Clock {
 public:
  double wall_us() const override;
  double cpu_us() const override;
};

}  // namespace adamec::measure
