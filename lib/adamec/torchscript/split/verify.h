#pragma once

#include <vector>

#include "adamec/base/error.h"
#include "adamec/torchscript/split/reference_runs.h"
#include "adamec/torchscript/split/split.h"

namespace adamec::torchscript {

// The atoms give something else than the model.
struct Differs : Error {
  using Error::Error;
};

// Whether the model keeps something from one run to the next: inside a STATEFUL atom, or as tensors
// of the manifest that are state.
[[nodiscard]] bool has_stateful_atoms(const v1::Manifest& manifest);
[[nodiscard]] bool has_state(const v1::Manifest& manifest);

// Runs the atoms from their records, one after the other, with the arguments of every run. Writes
// down what is seen in the manifest: peak memory in bytes, multiply-accumulates where shapes do not
// tell them, and shares of subnormal numbers for the first run.
//
// With options.verify their results must be those of the model, bit by bit. Throws Differs where
// they are not, BrokenAtom when an atom does not run.
void verify(const std::vector<ReferenceRun>& runs, const SplitOptions& options,
            SplitResult& result);

}  // namespace adamec::torchscript
