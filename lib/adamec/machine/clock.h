#pragma once

namespace adamec::machine {

// Time as the timing protocol sees it. Replaced in tests.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual double wall_us() const = 0;  // monotonic
  virtual double cpu_us() const = 0;                 // CPU time of this process, all its threads
  // How fast the core at hand runs at the moment: steps per us of a chain of operations that wait
  // for each other, timed for about 10 us. A step takes so many cycles whatever the caches and the
  // core's other hardware thread do: this is its frequency but for a factor. On shared machines it
  // moves by a tenth and more within seconds and stays away for minutes, and virtual machines do
  // not say (cpufreq is not there, /proc/cpuinfo stands still).
  [[nodiscard]] virtual double core_speed() const = 0;
};

class SystemClock final : public Clock {
 public:
  double wall_us() const override;
  double cpu_us() const override;
  double core_speed() const override;
};

}  // namespace adamec::machine
