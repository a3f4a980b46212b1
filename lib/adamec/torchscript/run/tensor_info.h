#pragma once

#include <cstdint>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// Shape, dtype and layout that a tensor of the residual graph has for the example inputs.
struct TensorInfo {
  c10::ScalarType dtype = c10::ScalarType::Undefined;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides = {};  // empty: contiguous

  std::uint64_t elements() const;
  std::uint64_t bytes() const;
};
// Of a value of the residual graph, whose type carries it; dtype Undefined: not known.
TensorInfo tensor_info(const jit::Value* value);
TensorInfo tensor_info(const at::Tensor& tensor);

}  // namespace adamec::torchscript
