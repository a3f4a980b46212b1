#pragma once

#include <cstdint>
#include <string>

#include "adamec/torchscript/split/split.h"

namespace adamec::torchscript {

// An atom made from nothing but an operator's configuration, for measuring configurations that no
// model at hand has. Weights and example inputs are made up by the seed (made_up_inputs.h). It goes
// through the same specialisation, cut and description as the atoms of models, so that the same
// configuration gets the same signature.
//
// `op` has a name with overload and its arguments by name: tensors, or values as text ("[2, 2]",
// "None"); results are found by running it. Throws Error when there is no such operator, an
// argument cannot be read or the operator refuses them.
[[nodiscard]] SplitResult operator_atom(const v1::Operator& op, const std::string& id,
                                        std::uint64_t seed);

// The same atom without what only describes it: its peak memory is not measured, which takes
// loading it and another run.
[[nodiscard]] SplitResult operator_program(const v1::Operator& op, const std::string& id,
                                           std::uint64_t seed);

}  // namespace adamec::torchscript
