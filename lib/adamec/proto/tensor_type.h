#pragma once

#include <cstdint>
#include <string>

#include "adamec/v1/archive.pb.h"

namespace adamec {

// Bytes of one element; 0 when the type is not known.
[[nodiscard]] std::uint64_t element_bytes(v1::DataType dtype);

// "float32"; "?" when the type is not known.
[[nodiscard]] std::string dtype_name(v1::DataType dtype);

// "float32[1,3,224,224]"
[[nodiscard]] std::string tensor_type_text(const v1::TensorType& type);

// The same with the strides of what is not contiguous, and the share of subnormal numbers where
// there are any: "float32[2,3:1,2]", "float32[2,3]~430/1000"
[[nodiscard]] std::string tensor_layout_text(const v1::TensorType& type);

// Elements of memory from a tensor's first to its last, of a type that has strides and no empty
// dimension.
[[nodiscard]] std::int64_t spanned_elements(const v1::TensorType& type);

// Gives a tensor that has strides those for the shape it has now: no gaps, its dimensions in the
// order in which its strides had them, and what was repeated (stride 0) still is. None where they
// would be too large for any memory.
void close_strides(v1::TensorType& type);

}  // namespace adamec
