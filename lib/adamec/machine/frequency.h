#pragma once

#include <string>
#include <vector>

#include "adamec/machine/affinity.h"

namespace adamec::machine {

// The highest frequency that CPUs may run at, where the host lets us say (cpufreq). Restored when
// destroyed.
class FrequencyLimit {
 public:
  // `root` is where the CPUs' folders are. Throws Error when the host does not offer it.
  explicit FrequencyLimit(const CpuList& cpus, std::string root = "/sys/devices/system/cpu");
  ~FrequencyLimit();
  FrequencyLimit(const FrequencyLimit&) = delete;
  FrequencyLimit& operator=(const FrequencyLimit&) = delete;

  // A share of the highest frequency, 0..1; 0: as it was.
  void set(double share);

 private:
  struct Cpu {
    std::string file;
    std::string before;
    double highest_khz = 0;
    double lowest_khz = 0;
  };
  std::vector<Cpu> cpus_;
};

}  // namespace adamec::machine
