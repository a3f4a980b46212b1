#pragma once

#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// The node itself and the nodes of its blocks that write to memory which is there before the node
// runs: in-place operators, except those on tensors that the node's own blocks allocate.
[[nodiscard]] std::vector<jit::Node*> writers_in(jit::Node* node);

}  // namespace adamec::torchscript
