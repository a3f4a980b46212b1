#pragma once

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// A loaded block in the form that is fastest on this machine (torch.jit.optimize_for_inference).
// LibTorch cannot load again what it would save of the result, so this is the last step before
// running. No longer bit-identical.
[[nodiscard]] jit::Module optimize_for_machine(jit::Module block);

}  // namespace adamec::torchscript
