#include "adamec/machine/context_control.h"

#include <algorithm>

namespace adamec::machine {
namespace {

double share(double part, double whole) {
  return whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0;
}

}  // namespace

void add_reading(v1::Reading& sum, const v1::Reading& reading) {
  sum.set_others_ticks(sum.others_ticks() + reading.others_ticks());
  sum.set_total_ticks(sum.total_ticks() + reading.total_ticks());
  sum.set_cpu_waiting_us(sum.cpu_waiting_us() + reading.cpu_waiting_us());
  sum.set_memory_waiting_us(sum.memory_waiting_us() + reading.memory_waiting_us());
  sum.set_wall_us(sum.wall_us() + reading.wall_us());
  const bool known = sum.free_memory() > 0 && reading.free_memory() > 0;
  sum.set_free_memory(known ? std::min(sum.free_memory(), reading.free_memory())
                            : std::max(sum.free_memory(), reading.free_memory()));
  sum.set_frequency_sum(sum.frequency_sum() + reading.frequency_sum());
  sum.set_frequencies(sum.frequencies() + reading.frequencies());
}

v1::Context observed_context(const v1::Context& asked, const v1::Reading& reading) {
  v1::Context observed = asked;
  observed.set_cpu_load(share(reading.others_ticks(), reading.total_ticks()));
  observed.set_cpu_pressure(share(reading.cpu_waiting_us(), reading.wall_us()));
  observed.set_memory_pressure(share(reading.memory_waiting_us(), reading.wall_us()));
  observed.set_free_memory(reading.free_memory());
  if (reading.frequencies() > 0) {
    observed.set_frequency_mhz(reading.frequency_sum() / reading.frequencies());
  }
  return observed;
}

}  // namespace adamec::machine
