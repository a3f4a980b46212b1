#pragma once

#include <cstdint>
#include <functional>

namespace adamec::torchscript {

// Runs `work` on this thread and adds up the multiply-accumulates of the operators that it calls:
// what branches, loops and operators made of others come to for the inputs at hand.
[[nodiscard]] std::uint64_t observed_macs(const std::function<void()>& work);

}  // namespace adamec::torchscript
