#pragma once

#include <cstdint>
#include <string>

#include "adamec/v1/archive.pb.h"

namespace adamec {

// Bytes of one element; 0 when the type is not known.
std::uint64_t element_bytes(v1::DataType dtype);

// "float32"; "?" when the type is not known.
std::string dtype_name(v1::DataType dtype);

// "float32[1,3,224,224]"
std::string tensor_type_text(const v1::TensorType& type);

}  // namespace adamec
