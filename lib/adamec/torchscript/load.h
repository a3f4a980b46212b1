#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adamec/torchscript/arguments.h"
#include "adamec/torchscript/pch.h"
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

// A TorchScript module from the bytes of a record.
jit::Module load_record(std::string_view bytes);

// LibTorch's dtype and ours.
v1::DataType to_dtype(c10::ScalarType type);
c10::ScalarType to_scalar_type(v1::DataType dtype);

// What an exception of LibTorch says, in one line without its stack trace.
std::string first_line(const std::exception& error);

}  // namespace adamec::torchscript
