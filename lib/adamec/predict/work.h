#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>

#include "adamec/v1/archive.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::predict {

using Operators = google::protobuf::RepeatedPtrField<v1::Operator>;

// What one run of an atom does, in numbers. Derived from the operators alone, so that an atom of an
// archive and a sample of it give the same. Doubles: a hostile shape may exceed any integer.
struct Work {
  std::string operator_key;  // "aten::conv2d"; "GROUP aten::add_" for other kinds of atoms
  // The same where different names mean the same work: "aten::conv2d" for the "aten::_convolution"
  // that tracing records, "aten::relu" for "aten::relu_". What predictors are trained by.
  std::string class_key;
  // Kernel family LibTorch selects for this number of threads, and "strided" behind it where
  // activations are read that do not lie in memory row by row: kernels differ, too.
  std::string backend;
  double macs = 0;
  double bytes_in = 0;  // activations read
  double bytes_out = 0;
  double weight_bytes = 0;
  bool view = false;  // only describes its input's memory anew: touches none of these bytes
  const Operators* operators = nullptr;

  [[nodiscard]] double bytes() const { return bytes_in + bytes_out + weight_bytes; }
};

// The argument must outlive the result.
[[nodiscard]] Work work_of(const v1::Atom& atom, unsigned threads);
[[nodiscard]] Work work_of(const v1::Sample& sample, unsigned threads);
[[nodiscard]] Work work_of(const v1::Configuration& part, unsigned threads);

}  // namespace adamec::predict
