#include "adamec/proto/tensor_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <numeric>
#include <vector>

namespace adamec {

std::uint64_t element_bytes(v1::DataType dtype) {
  switch (dtype) {
    case v1::UINT8:
    case v1::INT8:
    case v1::BOOL:
    case v1::QINT8:
    case v1::QUINT8:
      return 1;
    case v1::INT16:
    case v1::FLOAT16:
    case v1::BFLOAT16:
      return 2;
    case v1::INT32:
    case v1::FLOAT32:
    case v1::QINT32:
      return 4;
    case v1::INT64:
    case v1::FLOAT64:
    case v1::COMPLEX64:
      return 8;
    case v1::COMPLEX128:
      return 16;
    default:
      return 0;
  }
}

std::string dtype_name(v1::DataType dtype) {
  if (!v1::DataType_IsValid(dtype) || dtype == v1::DATA_TYPE_UNSPECIFIED) return "?";
  std::string name = v1::DataType_Name(dtype);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

std::string tensor_type_text(const v1::TensorType& type) {
  return fmt::format("{}[{}]", dtype_name(type.dtype()), fmt::join(type.shape(), ","));
}

std::string tensor_layout_text(const v1::TensorType& type) {
  std::string text = tensor_type_text(type);
  if (!type.strides().empty()) {
    text.back() = ':';
    text += fmt::format("{}]", fmt::join(type.strides(), ","));
  }
  if (type.subnormal_permille() > 0) text += fmt::format("~{}/1000", type.subnormal_permille());
  return text;
}

std::int64_t spanned_elements(const v1::TensorType& type) {
  assert(type.strides_size() == type.shape_size());
  std::int64_t span = 1;
  for (int i = 0; i < type.strides_size(); ++i) span += (type.shape(i) - 1) * type.strides(i);
  return span;
}

void close_strides(v1::TensorType& type) {
  if (type.strides_size() != type.shape_size()) return type.clear_strides();
  std::vector<int> inside_out(static_cast<std::size_t>(type.shape_size()));
  std::iota(inside_out.rbegin(), inside_out.rend(), 0);
  std::stable_sort(inside_out.begin(), inside_out.end(),
                   [&](int a, int b) { return type.strides(a) < type.strides(b); });
  std::int64_t stride = 1;
  for (const int dimension : inside_out) {
    if (type.strides(dimension) == 0) continue;
    type.set_strides(dimension, stride);
    const std::int64_t size = std::max<std::int64_t>(1, type.shape(dimension));
    if (__builtin_mul_overflow(stride, size, &stride)) return type.clear_strides();
  }
}

}  // namespace adamec
