#include "adamec/torchscript/run/tensor_info.h"

namespace adamec::torchscript {
namespace {

bool is_contiguous(const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides) {
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

}  // namespace

std::uint64_t TensorInfo::elements() const {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::uint64_t>(size);
  return count;
}

std::uint64_t TensorInfo::bytes() const {
  return dtype == c10::ScalarType::Undefined ? 0 : elements() * c10::elementSize(dtype);
}

TensorInfo tensor_info(const jit::Value* value) {
  TensorInfo info;
  const auto type = value->type()->cast<c10::TensorType>();
  if (!type || !type->scalarType().has_value()) return info;
  const auto sizes = type->sizes().concrete_sizes();
  if (!sizes.has_value()) return info;
  info.dtype = *type->scalarType();
  info.shape = *sizes;
  const auto strides = type->strides().concrete_sizes();
  if (strides.has_value() && !is_contiguous(info.shape, *strides)) info.strides = *strides;
  return info;
}

TensorInfo tensor_info(const at::Tensor& tensor) {
  TensorInfo info{tensor.scalar_type(), tensor.sizes().vec(), {}};
  if (tensor.layout() == at::kStrided && !is_contiguous(info.shape, tensor.strides().vec())) {
    info.strides = tensor.strides().vec();
  }
  return info;
}

}  // namespace adamec::torchscript
