#include "adamec/torchscript/run/reproducible.h"

#include <ATen/CPUGeneratorImpl.h>

#include <mutex>

namespace adamec::torchscript {

ReproducibleRuns::ReproducibleRuns() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  random_state_ = generator.get_state();
}

ReproducibleRuns::~ReproducibleRuns() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(random_state_);
}

void seed_random_numbers(std::uint64_t seed) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(seed);
}

}  // namespace adamec::torchscript
