#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

namespace adamec::torchscript {

// Standard normal numbers (float32) to measure with: what times depend on is that they are not all
// alike, and how many of them are subnormal. Beyond 64 Ki they repeat, since drawing each of them
// takes longer than most operators take to run on them. The period is a prime: no rows of a matrix
// become equal.
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

// Makes so many of 1000 numbers (float32, contiguous) subnormal, evenly spread. How they lie makes
// no difference: matrix products of Swin's masked attention take 19.0 ms with its own, 18.8 to 19.2
// ms with random or spread ones, 0.4 ms without.
inline void spread_subnormals(at::Tensor& numbers, std::uint32_t permille) {
  constexpr float kSubnormal = 1e-40F;
  if (permille == 0) return;
  float* const data = numbers.data_ptr<float>();
  std::uint32_t rest = 0;
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    rest += std::min(permille, 1000U);
    if (rest < 1000) continue;
    rest -= 1000;
    data[i] = kSubnormal;
  }
}

}  // namespace adamec::torchscript
