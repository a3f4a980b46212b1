#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// A dimension of one of the model's arguments whose size may change from run to run.
struct OpenSize {
  std::size_t argument = 0;
  std::int64_t dimension = 0;
  std::string name;  // sizes of the same name are always equal
};

// What people ask for: "0" or "batch" is the first dimension of every tensor argument;
// "x:1,mask:2=length" names arguments and dimensions, "=name" which of them change together.
// Throws Error(kUsage) for what cannot be read, and Error for arguments or dimensions that the
// model does not have.
[[nodiscard]] std::vector<OpenSize> parse_open_sizes(const std::string& text,
                                                     const jit::Module& module,
                                                     const std::string& method,
                                                     const std::vector<c10::IValue>& arguments);

// The arguments with other open sizes, different for every `variant` (1, 2, 3) and name: rows of
// the tensors are repeated, so that values stay in range.
[[nodiscard]] std::vector<c10::IValue> with_other_sizes(const std::vector<c10::IValue>& arguments,
                                                        const std::vector<OpenSize>& sizes,
                                                        int variant);

}  // namespace adamec::torchscript
