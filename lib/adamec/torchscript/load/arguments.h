#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// Example arguments for the method, without self. `specs`, or the content of `inputs_from` (a file
// written by torch.save: a tuple of arguments, or one argument). Throws Error when they do not
// fit the method's parameters.
std::vector<c10::IValue> example_arguments(const jit::Module& module, const std::string& method,
                                           const std::vector<std::string>& specs,
                                           const std::string& inputs_from, std::uint64_t seed);

// Arguments that a run may write to without spoiling the next.
std::vector<c10::IValue> copy_of(const std::vector<c10::IValue>& arguments);

}  // namespace adamec::torchscript
