#pragma once

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// LibTorch's dtype and the manifest's. DATA_TYPE_UNSPECIFIED and Undefined where the other side has
// no such type.
[[nodiscard]] v1::DataType to_dtype(c10::ScalarType type);
[[nodiscard]] c10::ScalarType to_scalar_type(v1::DataType dtype);

}  // namespace adamec::torchscript
