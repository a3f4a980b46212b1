#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/specialise/specialise.h"

namespace adamec::torchscript {

// A subgraph of the residual graph that becomes one TorchScript module.
struct Subgraph {
  std::vector<jit::Node*> nodes;     // in program order; all that its outputs need
  std::vector<jit::Value*> inputs;   // the arguments of forward(), all tensors
  std::vector<jit::Value*> outputs;  // one: forward() returns it; several: a tuple; all tensors
};

// The module's file, as torch.jit.save would write it. Weights that are not among the subgraph's
// inputs are stored in it as buffers and attributes. Same subgraph, same bytes.
[[nodiscard]] std::string subgraph_record(const Residual& residual, const Subgraph& subgraph);

// A module whose forward() takes nothing and returns the tensor.
[[nodiscard]] std::string weight_record(const at::Tensor& tensor, bool requires_grad = false);

// The file of a module.
[[nodiscard]] std::string module_record(const jit::Module& module);

}  // namespace adamec::torchscript
