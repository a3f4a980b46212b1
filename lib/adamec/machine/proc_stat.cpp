#include "adamec/machine/proc_stat.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "adamec/base/error.h"
#include "adamec/base/file.h"

namespace adamec::machine {
namespace {

constexpr const char* kFile = "/proc/stat";

// user nice system idle iowait irq softirq steal; guest time is part of user time
std::array<std::uint64_t, 8> parse_counters(std::istringstream& line, const std::string& cpu) {
  std::array<std::uint64_t, 8> counters{};
  for (std::size_t i = 0; i < counters.size(); ++i) {
    if (line >> counters[i]) continue;
    if (i >= 4) break;  // old kernels have fewer
    fail("{}: {} has {} counters, expected at least 4", kFile, cpu, i);
  }
  return counters;
}

}  // namespace

CpuTicks parse_cpu_ticks(const std::string& proc_stat, const CpuList& cpus) {
  std::map<std::string, bool> wanted;
  for (int cpu : cpus) wanted[fmt::format("cpu{}", cpu)] = false;
  CpuTicks ticks;
  std::istringstream lines(proc_stat);
  for (std::string text; std::getline(lines, text);) {
    std::istringstream line(text);
    std::string name;
    line >> name;
    const auto found = wanted.find(name);
    if (found == wanted.end() || found->second) continue;
    found->second = true;
    const auto counters = parse_counters(line, name);
    std::uint64_t total = 0;
    for (std::uint64_t counter : counters) total += counter;
    ticks.total += total;
    ticks.busy += total - counters[3] - counters[4];
  }
  for (const auto& [name, seen] : wanted) {
    if (!seen) fail("{}: no line for {}", kFile, name);
  }
  return ticks;
}

CpuTicks read_cpu_ticks(const CpuList& cpus) { return parse_cpu_ticks(read_file(kFile), cpus); }

double others_share(const CpuTicks& before, const CpuTicks& after, double own_cpu_us,
                    double ticks_per_second) {
  if (after.total <= before.total || after.busy < before.busy) return 0;
  const double total = static_cast<double>(after.total - before.total);
  const double busy = static_cast<double>(after.busy - before.busy);
  const double own = own_cpu_us * 1e-6 * ticks_per_second;
  return std::clamp((busy - own) / total, 0.0, 1.0);
}

double ticks_per_second() { return static_cast<double>(::sysconf(_SC_CLK_TCK)); }

}  // namespace adamec::machine
