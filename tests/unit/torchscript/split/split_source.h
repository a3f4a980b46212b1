#pragma once

#include <functional>
#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/split/split.h"
#include "tests/support/run_command.h"

namespace adamec::testing {

// Splits a model as it is saved. Verification is on: a result that is not bit-identical throws.
inline torchscript::SplitResult split_module(const torch::jit::Module& module,
                                             const std::vector<std::string>& inputs) {
  const TemporaryFolder folder;
  module.save(folder.path("model.pt"));
  torchscript::SplitOptions options;
  options.model = folder.path("model.pt");
  options.inputs = inputs;
  options.seed = 7;
  return torchscript::split_model(options);
}

// Splits a model written as TorchScript source, its attributes set by `fill`.
inline torchscript::SplitResult split_source(
    const std::string& source, const std::vector<std::string>& inputs,
    const std::function<void(torch::jit::Module&)>& fill = [](torch::jit::Module&) {}) {
  torch::jit::Module module("Model");
  fill(module);
  module.define(source);
  return split_module(module, inputs);
}

// The atoms' operators in order: "aten::relu aten::add".
inline std::string operators(const torchscript::SplitResult& result) {
  std::string text;
  for (const auto& atom : result.manifest.atoms()) {
    std::string name;
    for (const auto& op : atom.operators()) {
      if (!name.empty()) name += '+';
      name += op.name().substr(0, op.name().find('.'));
    }
    if (!text.empty()) text += ' ';
    text += name;
  }
  return text;
}

}  // namespace adamec::testing
