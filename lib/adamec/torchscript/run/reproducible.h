#pragma once

#include <cstdint>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// For as long as it lives, LibTorch's interpreter runs programs as they are written, without fusion
// that could change the last bit, and work may seed and draw from the default generator of random
// numbers. Afterwards both are what they were before. They are the process's: no other thread may
// use LibTorch in between.
class ReproducibleRuns {
 public:
  ReproducibleRuns();
  ~ReproducibleRuns();
  ReproducibleRuns(const ReproducibleRuns&) = delete;
  ReproducibleRuns& operator=(const ReproducibleRuns&) = delete;

 private:
  jit::GraphOptimizerEnabledGuard as_written_{false};
  at::Tensor random_state_;  // before
};

// Seeds the default generator of the CPU, which models draw their random numbers from.
void seed_random_numbers(std::uint64_t seed);

}  // namespace adamec::torchscript
