#include "adamec/torchscript/specialise/unsupported.h"

#include <fmt/format.h>

#include "adamec/torchscript/specialise/operator_kinds.h"

namespace adamec::torchscript {

void throw_unsupported(const jit::Node* node, const std::string& why) {
  throw Unsupported(fmt::format("{}: {}", construct(node), why), /*state=*/false);
}

void throw_keeps_state(const jit::Node* node) {
  throw Unsupported(
      fmt::format("{}: the model keeps state from one run to the next", construct(node)),
      /*state=*/true);
}

}  // namespace adamec::torchscript
