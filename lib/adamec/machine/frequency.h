#pragma once

#include <string>
#include <vector>

#include "adamec/base/interrupt_undo.h"
#include "adamec/machine/affinity.h"

namespace adamec::machine {

// The highest frequency that CPUs may run at, where the host lets us say (cpufreq). As it was when
// this is destroyed, and after a signal (adamec/base/interrupt_undo.h).
class FrequencyLimit {
 public:
  // `root` is where the CPUs' folders are. Throws Error when the host does not offer it.
  explicit FrequencyLimit(const CpuList& cpus, const std::string& root = "/sys/devices/system/cpu");
  ~FrequencyLimit();
  FrequencyLimit(const FrequencyLimit&) = delete;
  FrequencyLimit& operator=(const FrequencyLimit&) = delete;

  // A share of the highest frequency, 0..1, but not below the lowest one; 0: as it was. Throws
  // Error when the system refuses it.
  void set(double share);

 private:
  struct Cpu {
    std::string file;    // takes the limit, in kHz
    std::string before;  // its text
    double highest_khz = 0;
    double lowest_khz = 0;
    InterruptUndo undo;
  };
  std::vector<Cpu> cpus_;
};

}  // namespace adamec::machine
