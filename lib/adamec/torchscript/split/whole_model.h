#pragma once

#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// A model that is kept as one atom: a module whose forward() takes the tensors among the model's
// arguments and returns the tensors among its results.
struct WholeModel {
  std::string record;
  v1::Value output;                 // tensors are called "<prefix>:0", "<prefix>:1", ...
  std::vector<at::Tensor> results;  // those tensors, for the example arguments
};

// `inputs`: what the arguments are in the manifest's words. `returned`: what the method returned
// for the example arguments. Throws Error when a result is neither a tensor nor a number.
[[nodiscard]] WholeModel keep_whole(const jit::Module& module, const std::string& method,
                                    const v1::Manifest& inputs, const c10::IValue& returned,
                                    const std::string& prefix);

}  // namespace adamec::torchscript
