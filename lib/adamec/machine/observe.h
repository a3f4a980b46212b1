#pragma once

#include <cstdint>
#include <string>

#include "adamec/machine/affinity.h"
#include "adamec/machine/proc_stat.h"

// What the system says about itself while something is measured.
namespace adamec::machine {

struct Snapshot {
  CpuTicks ticks;
  double cpu_waiting_us = 0;     // since boot, in which someone waited for a CPU (PSI); 0: not told
  double memory_waiting_us = 0;  // the same for memory
  std::uint64_t free_memory = 0;  // bytes available without swapping; 0: not told
  double frequency_mhz = 0;       // mean of the CPUs; 0: not told
};

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234" -> 1234; 0 when there is no such line.
[[nodiscard]] double parse_pressure_us(const std::string& pressure);
// "MemAvailable:   1234 kB" of /proc/meminfo -> bytes; 0 when there is no such line.
[[nodiscard]] std::uint64_t parse_available_bytes(const std::string& meminfo);
// Mean of the CPUs' "cpu MHz" in /proc/cpuinfo; 0 when it has none (ARM).
[[nodiscard]] double parse_cpuinfo_mhz(const std::string& cpuinfo, const CpuList& cpus);

// Throws Error when /proc/stat cannot be read; everything else may be missing.
[[nodiscard]] Snapshot read_snapshot(const CpuList& cpus);

}  // namespace adamec::machine
