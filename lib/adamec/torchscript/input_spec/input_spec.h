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
//   [float32[3,240,320],float32[3,320,240]]  a list, its elements again in these words
//   (float32[1,8],int=3)  a tuple; {image:float32[3,8,8],id:int=3}  a dict whose keys are strings
struct InputSpec {
  enum class Kind { kTensor, kInt, kFloat, kBool, kString, kNone, kList, kTuple, kDict };
  Kind kind = Kind::kTensor;
  v1::DataType dtype = v1::DATA_TYPE_UNSPECIFIED;
  std::vector<std::int64_t> shape;
  std::int64_t bound = 0;  // exclusive; 0: none given
  std::int64_t int_value = 0;
  double float_value = 0;
  bool bool_value = false;
  std::string string_value;
  std::vector<InputSpec> elements;  // kList, kTuple, kDict
  std::vector<std::string> keys;    // kDict: one per element
};

// Throws Error(kUsage) naming the text and what was expected.
InputSpec parse_input_spec(const std::string& text);

}  // namespace adamec::torchscript
