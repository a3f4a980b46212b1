#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// Example arguments for the method, without self. `specs`, or the content of `inputs_from` (a file
// written by torch.save: a tuple of arguments, or one argument). Throws Error when they do not
// fit the method's parameters; Error(kUsage) for a method that the model does not have.
[[nodiscard]] std::vector<c10::IValue> example_arguments(const jit::Module& module,
                                                         const std::string& method,
                                                         const std::vector<std::string>& specs,
                                                         const std::string& inputs_from,
                                                         std::uint64_t seed);

}  // namespace adamec::torchscript
