#pragma once

#include <cstdint>

#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// Multiply-accumulate operations of one call, from the shapes: convolutions, matrix products,
// attention and recurrent layers. 0 for operators that are bound by memory (element-wise, pooling,
// normalisation, views) and for those not known.
std::uint64_t multiply_accumulates(const v1::Operator& op);

}  // namespace adamec::torchscript
