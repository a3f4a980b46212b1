#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "adamec/v1/archive.pb.h"

// Tensors to measure with, where no real ones are at hand.
namespace adamec::torchscript {

// The scale of made-up quantised tensors: what eight bits can hold reaches from -2.56 to 2.54,
// which is where all but one in a hundred normal numbers lie.
inline constexpr double kMadeUpScale = 0.02;

// What made-up integers are. (Truth values are always drawn: they are no indices.)
enum class MadeUpIntegers {
  kZeroOrOne,  // drawn: they may be masks, counts or indices
  kZero,       // the one index that is valid wherever there is one, as in a table of one row
};

// A tensor of this type; layout and share of subnormal numbers are the type's, too. Floating point,
// complex and quantised numbers are standard normal. Throws Error when the dtype is none of
// LibTorch's.
[[nodiscard]] at::Tensor made_up_tensor(const v1::TensorType& type, at::Generator& generator,
                                        MadeUpIntegers integers = MadeUpIntegers::kZeroOrOne);

// Whether MadeUpIntegers makes a difference to the type.
[[nodiscard]] bool holds_integers(const v1::TensorType& type);

// Standard normal numbers (float32) to measure with: what times depend on is that they are not all
// alike, and how many of them are subnormal. Beyond 64 Ki they repeat, since drawing each of them
// takes longer than most operators take to run on them. The period is a prime: no rows of a matrix
// become equal.
[[nodiscard]] at::Tensor normal_numbers(at::IntArrayRef shape, at::Generator generator);

// Makes so many of 1000 numbers (float32, contiguous) subnormal, evenly spread. How they lie makes
// no difference: matrix products of Swin's masked attention take 19.0 ms with its own, 18.8 to 19.2
// ms with random or spread ones, 0.4 ms without.
void spread_subnormals(at::Tensor& numbers, std::uint32_t permille);

}  // namespace adamec::torchscript
