#pragma once

#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// A copy of a model's argument or result that shares no memory with it. Each tensor is a copy of
// its own, of the same layout; one that is there twice is there twice in the copy. (What LibTorch
// calls a deep copy takes two views of one memory for one tensor.)
[[nodiscard]] c10::IValue copy_of(const c10::IValue& value);
[[nodiscard]] std::vector<c10::IValue> copy_of(const std::vector<c10::IValue>& values);

}  // namespace adamec::torchscript
