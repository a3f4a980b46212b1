#pragma once

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// LibTorch's dtype and ours.
v1::DataType to_dtype(c10::ScalarType type);
c10::ScalarType to_scalar_type(v1::DataType dtype);

}  // namespace adamec::torchscript
