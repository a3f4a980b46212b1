#pragma once

#include <vector>

#include "adamec/torchscript/cut/atom_module.h"
#include "adamec/torchscript/specialise/specialise.h"

namespace adamec::torchscript {

// An atom before it is written: the operators that belong together, and the scalar and list code
// that only they need (copied into every atom that needs it).
struct AtomDraft {
  Subgraph subgraph;
  std::vector<jit::Node*> operators;  // the subgraph's nodes without the scalar and list code
  std::vector<jit::Value*> weights;   // the weights it reads, each once
};

// Cuts the residual graph at every tensor operator. Atoms come in execution order.
//
// Kept together are: operators that write to memory that others see; a list of tensors and what it
// is unpacked by; anything that would pass something other than a tensor; and whatever lies
// between, so that no atom needs its own result (atoms are convex).
//
// Weights of at least `shared_weight_bytes` that several atoms read become inputs of these atoms.
[[nodiscard]] std::vector<AtomDraft> cut(const Residual& residual,
                                         std::uint64_t shared_weight_bytes);

}  // namespace adamec::torchscript
