#pragma once

#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

// CPU time on the CPUs in use, in ticks, while a context was held.
struct LoadReading {
  double others = 0;  // that went to other processes
  double total = 0;
  double share() const { return total > 0 ? others / total : 0; }
};

// Brings about the contexts in which runnables are measured. Replaced in tests.
class Stage {
 public:
  virtual ~Stage() = default;
  // Returns when the context holds. Throws Error when it cannot be made.
  virtual void enter(const v1::Context& context) = 0;
  // The load others made since enter().
  virtual LoadReading leave() = 0;
};

}  // namespace adamec::measure
