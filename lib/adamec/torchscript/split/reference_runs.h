#pragma once

#include <string>
#include <vector>

#include "adamec/torchscript/load/open_sizes.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/split/split.h"

namespace adamec::torchscript {

// The arguments of a model (without self): an example, and the same with other sizes where these
// are open.
struct Arguments {
  std::vector<c10::IValue> example;
  std::vector<OpenSize> open_sizes;

  // `count` sets of other arguments, none when no size is open.
  [[nodiscard]] std::vector<std::vector<c10::IValue>> others(int count) const;
};

// A run of the model that the atoms are compared with.
struct ReferenceRun {
  std::vector<c10::IValue> arguments;
  c10::IValue expected;  // what the model itself returned; None where nothing is compared
};

// Runs the method on copies of the arguments, random numbers drawn from the seed. What it returns
// may be part of the model's state.
[[nodiscard]] c10::IValue run_model(const jit::Module& module, const SplitOptions& options,
                                    const std::vector<c10::IValue>& arguments);

// The runs that the atoms are verified by, of which the first is the example's; the model is run
// now, which changes it when it keeps state. Without options.verify it is not run, and the example
// is all there is.
[[nodiscard]] std::vector<ReferenceRun> reference_runs(const jit::Module& module,
                                                       const Arguments& arguments,
                                                       const SplitOptions& options,
                                                       bool keeps_state);

}  // namespace adamec::torchscript
