#pragma once

#include "adamec/v1/journal.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::machine {

// Brings about the contexts in which runnables are measured. Replaced in tests.
class ContextControl {
 public:
  virtual ~ContextControl() = default;
  // Returns when the context holds. Throws Error when it cannot be made.
  virtual void enter(const v1::Context& context) = 0;
  // What was seen of the machine since enter().
  [[nodiscard]] virtual v1::Reading leave() = 0;
};

// Adds a later reading of the same context.
void add_reading(v1::Reading& sum, const v1::Reading& reading);
// The context as it was, from the one asked for and what was seen.
[[nodiscard]] v1::Context observed_context(const v1::Context& asked, const v1::Reading& reading);

}  // namespace adamec::machine
