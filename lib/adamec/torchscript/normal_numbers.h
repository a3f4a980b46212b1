#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

namespace adamec::torchscript {

// Standard normal numbers (float32) to measure with: what times depend on is that they are neither
// all alike nor denormal. Beyond 64 Ki they repeat, since drawing each of them takes longer than
// most operators take to run on them. The period is a prime: no rows of a matrix become equal.
inline at::Tensor normal_numbers(at::IntArrayRef shape, at::Generator generator) {
  constexpr std::int64_t kDrawn = 65521;
  const at::Tensor numbers = at::empty(shape);
  const std::int64_t count = numbers.numel();
  if (count <= kDrawn) return at::randn(shape, generator);
  const at::Tensor drawn = at::randn({kDrawn}, generator);
  const at::Tensor flat = numbers.view({-1});
  for (std::int64_t begin = 0; begin < count; begin += kDrawn) {
    const std::int64_t length = std::min(kDrawn, count - begin);
    flat.narrow(0, begin, length).copy_(drawn.narrow(0, 0, length));
  }
  return numbers;
}

}  // namespace adamec::torchscript
