#pragma once

#include <cstdint>
#include <string>

#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

struct LoadedModel {
  jit::Module module;  // on the CPU, in evaluation mode
  std::string name;    // the file's, without folder and extensions
  std::string sha256;
  std::uint64_t bytes = 0;
};

// A TorchScript file that can be loaded more than once: running a model may change it.
class ModelFile {
 public:
  // "-" is standard input. A pipe is read here, to its end, and stays in memory.
  explicit ModelFile(std::string path);

  // The model as the file has it. Throws Error, in one line that says what the file is instead (a
  // Git-LFS pointer, a state dict, a truncated zip, ...) or which operator is missing.
  [[nodiscard]] LoadedModel load();
  // Lets go of what was read from a pipe: there will be no more loading.
  void forget() { bytes_ = std::string(); }

 private:
  std::string path_;
  bool pipe_;
  std::string bytes_;   // of a pipe
  std::string sha256_;  // once it has been loaded
};

// Loads a TorchScript file once.
[[nodiscard]] LoadedModel load_model(const std::string& path);

// Makes the operators of a shared library known. Throws Error.
void load_operator_library(const std::string& path);

}  // namespace adamec::torchscript
