#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/run/execute.h"
#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {

using Fill = std::function<void(torch::jit::Module&)>;

inline const Fill kMemory = [](torch::jit::Module& module) {
  module.register_buffer("memory", torch::zeros({3}));
};

// Runs the atoms and the model eight times, side by side, on inputs that change every time.
inline std::string run_on_others(const torchscript::SplitResult& result, torch::jit::Module module,
                                 const std::vector<std::string>& inputs) {
  std::map<std::string, std::string_view> records;
  for (const auto& record : result.records) records[record.name] = record.bytes;
  bool inside = false;
  for (const auto& atom : result.manifest.atoms()) inside |= atom.kind() == v1::STATEFUL;
  torchscript::AtomExecutor executor(
      result.manifest, [&](const std::string& name) { return records.at(name); }, inside);
  const at::NoGradGuard no_grad;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto arguments =
        torchscript::example_arguments(module, "forward", inputs, "", /*seed=*/100 + seed);
    executor.run(arguments);
    const auto difference = executor.difference(module.get_method("forward")(arguments));
    if (!difference.empty()) return fmt::format("run {}: {}", seed, difference);
  }
  return "";
}

// Splits and runs on other inputs.
inline torchscript::SplitResult split_stateful(const std::string& source,
                                               const std::vector<std::string>& inputs,
                                               const Fill& fill) {
  const auto result = split_source(source, inputs, fill);
  torch::jit::Module module("Model");
  fill(module);
  module.define(source);
  EXPECT_EQ(run_on_others(result, module, inputs), "");
  return result;
}

inline std::map<std::string, const v1::Tensor*> states(const torchscript::SplitResult& result) {
  std::map<std::string, const v1::Tensor*> states;
  for (const auto& tensor : result.manifest.tensors()) {
    if (tensor.role() == v1::STATE) states[tensor.id()] = &tensor;
  }
  return states;
}

inline int stateless_atoms(const torchscript::SplitResult& result) {
  int count = 0;
  for (const auto& atom : result.manifest.atoms()) count += atom.stateful() ? 0 : 1;
  return count;
}

}  // namespace adamec::testing
