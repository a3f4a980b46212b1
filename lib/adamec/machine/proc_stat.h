#pragma once

#include <cstdint>
#include <string>

#include "adamec/machine/affinity.h"

namespace adamec::machine {

// What /proc/stat counts, summed over some CPUs, in clock ticks. Time stolen by other virtual
// machines is busy time.
struct CpuTicks {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
};

// The "cpuN" lines of /proc/stat for the given CPUs. Throws Error when one is missing or malformed.
[[nodiscard]] CpuTicks parse_cpu_ticks(const std::string& proc_stat, const CpuList& cpus);
// The same from the running system.
[[nodiscard]] CpuTicks read_cpu_ticks(const CpuList& cpus);

// Share of the CPUs' time between two readings that went to others, when this process itself used
// `own_cpu_us`: 0..1. `ticks_per_second` is the unit of CpuTicks. 0 when no tick has passed.
[[nodiscard]] double others_share(const CpuTicks& before, const CpuTicks& after, double own_cpu_us,
                                  double ticks_per_second);
[[nodiscard]] double ticks_per_second();

}  // namespace adamec::machine
