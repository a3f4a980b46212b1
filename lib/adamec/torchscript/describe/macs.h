#pragma once

#include <cstdint>
#include <optional>

#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// Multiply-accumulate operations of one call, from the shapes: convolutions, matrix products,
// attention and recurrent layers, plain, quantised, prepacked and fused. Nothing for all others:
// those bound by memory (element-wise, pooling, normalisation, views), those made of others
// (einsum), those not known.
[[nodiscard]] std::optional<std::uint64_t> known_macs(const v1::Operator& op);

// The same, 0 for all others.
[[nodiscard]] std::uint64_t multiply_accumulates(const v1::Operator& op);

}  // namespace adamec::torchscript
