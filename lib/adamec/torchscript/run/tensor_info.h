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

  [[nodiscard]] std::uint64_t elements() const;
  [[nodiscard]] std::uint64_t bytes() const;  // 0 while the dtype is not known
};
// Of a value of the residual graph, whose type carries it; dtype Undefined: not known.
[[nodiscard]] TensorInfo tensor_info(const jit::Value* value);
[[nodiscard]] TensorInfo tensor_info(const at::Tensor& tensor);

}  // namespace adamec::torchscript
