#include "adamec/machine/frequency.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "adamec/base/error.h"

namespace adamec::machine {
namespace {

std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

bool put(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

double number(const std::string& text) { return text.empty() ? 0 : std::atof(text.c_str()); }

}  // namespace

FrequencyLimit::FrequencyLimit(const CpuList& cpus, std::string root) {
  for (const int cpu : cpus) {
    const std::string folder = fmt::format("{}/cpu{}/cpufreq", root, cpu);
    Cpu entry{folder + "/scaling_max_freq", first_word(folder + "/scaling_max_freq"),
              number(first_word(folder + "/cpuinfo_max_freq")),
              number(first_word(folder + "/cpuinfo_min_freq"))};
    if (entry.before.empty() || entry.highest_khz <= 0) {
      fail("frequency: the host does not offer it (no {})", entry.file);
    }
    if (!put(entry.file, entry.before)) fail("frequency: cannot write to {}", entry.file);
    cpus_.push_back(std::move(entry));
  }
}

FrequencyLimit::~FrequencyLimit() {
  for (const Cpu& cpu : cpus_) put(cpu.file, cpu.before);
}

void FrequencyLimit::set(double share) {
  for (const Cpu& cpu : cpus_) {
    if (share <= 0) {
      put(cpu.file, cpu.before);
      continue;
    }
    const double khz = std::max(cpu.lowest_khz, share * cpu.highest_khz);
    if (!put(cpu.file, fmt::format("{:.0f}", khz))) fail("frequency: cannot write to {}", cpu.file);
  }
}

}  // namespace adamec::machine
