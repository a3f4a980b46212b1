#include "adamec/proto/tensor_type.h"

#include <fmt/format.h>

#include <cctype>

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

}  // namespace adamec
