#include "adamec/machine/frequency.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/machine/system_file.h"

namespace adamec::machine {
namespace {

std::string first_word(const std::string& text) {
  const std::size_t start = std::min(text.find_first_not_of(" \n"), text.size());
  return text.substr(start, text.find_first_of(" \n", start) - start);
}

double read_khz(const std::string& path) { return std::atof(read_system_file(path).c_str()); }

void put(const std::string& path, const std::string& text) {
  const int error = write_system_file(path, text);
  if (error != 0) {
    fail("frequency limit: cannot write {} to {}: {}", text, path, std::strerror(error));
  }
}

}  // namespace

FrequencyLimit::FrequencyLimit(const CpuList& cpus, const std::string& root) {
  for (const int cpu : cpus) {
    const std::string folder = fmt::format("{}/cpu{}/cpufreq", root, cpu);
    const std::string file = folder + "/scaling_max_freq";
    const std::string before = first_word(read_system_file(file));
    const double highest_khz = read_khz(folder + "/cpuinfo_max_freq");
    if (before.empty() || highest_khz <= 0) {
      fail("frequency limit: the host does not offer it (no {})", file);
    }
    put(file, before);  // to see whether it may
    cpus_.push_back({file, before, highest_khz, read_khz(folder + "/cpuinfo_min_freq"),
                     InterruptUndo(UndoAction::kWriteText, file, before)});
  }
}

FrequencyLimit::~FrequencyLimit() {
  for (const Cpu& cpu : cpus_) {
    [[maybe_unused]] const int ignored = write_system_file(cpu.file, cpu.before);
  }
}

void FrequencyLimit::set(double share) {
  assert(share >= 0 && share <= 1);
  for (const Cpu& cpu : cpus_) {
    const double khz = std::max(cpu.lowest_khz, share * cpu.highest_khz);
    put(cpu.file, share > 0 ? fmt::format("{:.0f}", khz) : cpu.before);
  }
}

}  // namespace adamec::machine
