#pragma once

#include <stdexcept>
#include <string>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// The model does something that cannot be specialised; it can still be kept as one atom. The
// message names the construct and its source line.
struct Unsupported : std::runtime_error {
  Unsupported(const std::string& message, bool state)
      : std::runtime_error(message), keeps_state(state) {}
  bool keeps_state;  // from one run to the next
};

// Throws Unsupported: "prim::If at vit.py:92: why".
[[noreturn]] void throw_unsupported(const jit::Node* node, const std::string& why);
// The same for what the model keeps from one run to the next.
[[noreturn]] void throw_keeps_state(const jit::Node* node);

}  // namespace adamec::torchscript
