#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

// Everything that differs between the LibTorch versions we build against (1.13 and 2.x).
namespace adamec::torchscript {

struct ConvolutionArguments {
  at::Tensor input;
  at::Tensor weight;
  at::Tensor bias;  // undefined: none
  std::vector<std::int64_t> stride, padding, dilation, output_padding;
  bool transposed = false;
  std::int64_t groups = 1;
};

// The kernel family LibTorch selects for the convolution with the present number of threads:
// "Mkldnn", "Slow2d", ...
[[nodiscard]] std::string convolution_backend(const ConvolutionArguments& arguments);

// Whether LibTorch itself says that the shape of the operator's result depends on the values
// inside its tensors. (Not all such operators say so.)
[[nodiscard]] bool tagged_dynamic_shape(const jit::Node& node);

// Runs `work` and returns the most bytes that LibTorch's CPU allocator held at once for it, beyond
// what was allocated before.
[[nodiscard]] std::uint64_t peak_allocated_bytes(const std::function<void()>& work);

// LibTorch's warnings are dropped for as long as the result lives, and its log keeps to errors.
[[nodiscard]] std::shared_ptr<void> silence_warnings();

}  // namespace adamec::torchscript
