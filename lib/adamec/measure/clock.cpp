#include "adamec/measure/clock.h"

#include <ctime>

namespace adamec::measure {
namespace {

double microseconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) * 1e-3;
}

}  // namespace

double SystemClock::wall_us() const { return microseconds(CLOCK_MONOTONIC); }

double SystemClock::cpu_us() const { return microseconds(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace adamec::measure
