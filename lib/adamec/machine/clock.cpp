#include "adamec/machine/clock.h"

#include <cstdint>
#include <ctime>

namespace adamec::machine {
namespace {

constexpr int kSteps = 7000;

double microseconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

}  // namespace

double SystemClock::wall_us() const { return microseconds(CLOCK_MONOTONIC); }

double SystemClock::cpu_us() const { return microseconds(CLOCK_PROCESS_CPUTIME_ID); }

double SystemClock::core_speed() const {
  // Read and written through memory that might change, so that the chain is not folded away.
  volatile std::uint64_t ends = 1;
  const double start = wall_us();
  std::uint64_t x = ends;
  // Knuth's linear congruential generator: a multiplication and an addition, each after the other.
  for (int i = 0; i < kSteps; ++i) x = x * 6364136223846793005U + 1442695040888963407U;
  ends = x;
  const double us = wall_us() - start;
  return us > 0 ? kSteps / us : 0;
}

}  // namespace adamec::machine
