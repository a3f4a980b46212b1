#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// Of 1000 elements, how many are subnormal (0 < |x| < 2^-126), rounded. 0 for other types than
// float32.
[[nodiscard]] std::uint32_t subnormal_permille(const at::Tensor& tensor);

// By id of a tensor of the manifest, the share of subnormal numbers in it.
using Subnormals = std::unordered_map<std::string, std::uint32_t>;

// Writes them to the manifest's tensors and to the arguments of the operators that read them.
void set_subnormals(const Subnormals& found, v1::Manifest& manifest);

}  // namespace adamec::torchscript
