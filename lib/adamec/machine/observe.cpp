#include "adamec/machine/observe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "adamec/machine/system_file.h"

namespace adamec::machine {
namespace {

// The clock of cpufreq is that of each CPU at the moment, which /proc/cpuinfo's need not be.
double frequency_mhz(const CpuList& cpus) {
  double sum = 0;
  std::size_t count = 0;
  for (const int cpu : cpus) {
    const std::string text = read_system_file(
        fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", cpu));
    if (text.empty()) continue;
    sum += std::atof(text.c_str()) * 1e-3;
    ++count;
  }
  if (count > 0) return sum / static_cast<double>(count);
  return parse_cpuinfo_mhz(read_system_file("/proc/cpuinfo"), cpus);
}

}  // namespace

double parse_pressure_us(const std::string& pressure) {
  const std::size_t some = pressure.find("some ");
  if (some == std::string::npos) return 0;
  const std::size_t total = pressure.find("total=", some);
  return total == std::string::npos ? 0 : std::atof(pressure.c_str() + total + 6);
}

std::uint64_t parse_available_bytes(const std::string& meminfo) {
  const std::size_t line = meminfo.find("MemAvailable:");
  if (line == std::string::npos) return 0;
  return std::strtoull(meminfo.c_str() + line + 13, nullptr, 10) * 1024;
}

double parse_cpuinfo_mhz(const std::string& cpuinfo, const CpuList& cpus) {
  double sum = 0;
  std::size_t count = 0;
  int cpu = -1;
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (line.rfind("processor", 0) == 0) cpu = std::atoi(line.c_str() + colon + 1);
    if (line.rfind("cpu MHz", 0) != 0) continue;
    if (std::find(cpus.begin(), cpus.end(), cpu) == cpus.end()) continue;
    sum += std::atof(line.c_str() + colon + 1);
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

Snapshot read_snapshot(const CpuList& cpus) {
  Snapshot snapshot;
  snapshot.ticks = read_cpu_ticks(cpus);
  snapshot.cpu_waiting_us = parse_pressure_us(read_system_file("/proc/pressure/cpu"));
  snapshot.memory_waiting_us = parse_pressure_us(read_system_file("/proc/pressure/memory"));
  snapshot.free_memory = parse_available_bytes(read_system_file("/proc/meminfo"));
  snapshot.frequency_mhz = frequency_mhz(cpus);
  return snapshot;
}

}  // namespace adamec::machine
