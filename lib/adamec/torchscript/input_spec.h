#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// One argument of a model as people write it:
//   float32[1,3,224,224]   a tensor of this type; its content is drawn from the seed
//   int64[1,128]<30522     integers from 0 to 30521 (without a bound: 0 or 1)
//   int=16000  float=0.5  bool=true  str=text  none
struct InputSpec {
  enum class Kind { kTensor, kInt, kFloat, kBool, kString, kNone };
  Kind kind = Kind::kTensor;
  v1::DataType dtype = v1::DATA_TYPE_UNSPECIFIED;
  std::vector<std::int64_t> shape;
  std::int64_t bound = 0;  // exclusive; 0: none given
  std::int64_t int_value = 0;
  double float_value = 0;
  bool bool_value = false;
  std::string string_value;
};

// Throws Error(kUsage) naming the text and what was expected.
InputSpec parse_input_spec(const std::string& text);

}  // namespace adamec::torchscript
