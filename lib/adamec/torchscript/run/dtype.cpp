#include "adamec/torchscript/run/dtype.h"

#include <utility>

namespace adamec::torchscript {

namespace {

constexpr std::pair<v1::DataType, c10::ScalarType> kTypes[] = {{v1::UINT8, at::kByte},
                                                               {v1::INT8, at::kChar},
                                                               {v1::INT16, at::kShort},
                                                               {v1::INT32, at::kInt},
                                                               {v1::INT64, at::kLong},
                                                               {v1::FLOAT16, at::kHalf},
                                                               {v1::FLOAT32, at::kFloat},
                                                               {v1::FLOAT64, at::kDouble},
                                                               {v1::COMPLEX64, at::kComplexFloat},
                                                               {v1::COMPLEX128, at::kComplexDouble},
                                                               {v1::BOOL, at::kBool},
                                                               {v1::BFLOAT16, at::kBFloat16},
                                                               {v1::QINT8, at::kQInt8},
                                                               {v1::QUINT8, at::kQUInt8},
                                                               {v1::QINT32, at::kQInt32}};

}  // namespace

v1::DataType to_dtype(c10::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  return v1::DATA_TYPE_UNSPECIFIED;
}

c10::ScalarType to_scalar_type(v1::DataType dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  return c10::ScalarType::Undefined;
}

}  // namespace adamec::torchscript
