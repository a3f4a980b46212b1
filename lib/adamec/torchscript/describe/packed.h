#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// What an object with packed weights holds: those of quantised convolutions, linear and recurrent
// layers, and the prepacked ones of mobile-optimised models.
struct PackedWeights {
  std::vector<at::Tensor> tensors;  // in the object's order: weight, bias, weight, bias, ...
  // Convolutions: stride, padding, dilation, output_padding, groups, transposed (0 or 1).
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> settings;
};

// Whether the value is an object that can tell what it holds.
[[nodiscard]] bool is_packed(const c10::IValue& value);

// Empty for objects in whose state no tensors are.
[[nodiscard]] PackedWeights unpack(const c10::IValue& object);

}  // namespace adamec::torchscript
