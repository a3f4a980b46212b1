#pragma once

#include <cstdint>
#include <string>

#include "adamec/torchscript/load/arguments.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

struct LoadedModel {
  jit::Module module;  // on the CPU, in evaluation mode
  std::string name;    // the file's name without folder and extensions
  std::string sha256;
  std::uint64_t bytes = 0;
};

// Loads a TorchScript file; "-" is standard input. Throws Error, in one line that says what the
// file is instead (a Git-LFS pointer, a state dict, a truncated zip, ...) or which operator is
// missing.
LoadedModel load_model(const std::string& path);

// Makes the operators of a shared library known. Throws Error.
void load_operator_library(const std::string& path);

}  // namespace adamec::torchscript
