#pragma once

#include "adamec/measure/synthesis/call.h"
#include "adamec/measure/synthesis/random.h"

namespace adamec::measure {

// How the sizes of a call hang together: which calls the rule is for, and what may be changed.
struct Rule {
  bool (*fits)(const Call& call);
  void (*change)(const Call& call, Random& random);
  bool any_dtype = false;  // else float32 only
};

// The rule for the call; null when none fits. Operators without a rule of their own are taken to be
// element-wise when they have an argument `self`.
[[nodiscard]] const Rule* rule_for(const Call& call);

}  // namespace adamec::measure
