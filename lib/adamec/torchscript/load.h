#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adamec/torchscript/input_spec.h"
#include "adamec/torchscript/pch.h"

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

// Example arguments for the method, without self. `specs`, or the content of `inputs_from` (a file
// written by torch.save: a tuple of arguments, or one argument). Throws Error when they do not
// fit the method's parameters.
std::vector<c10::IValue> example_arguments(const jit::Module& module, const std::string& method,
                                           const std::vector<std::string>& specs,
                                           const std::string& inputs_from, std::uint64_t seed);

// LibTorch's dtype and ours.
v1::DataType to_dtype(c10::ScalarType type);
c10::ScalarType to_scalar_type(v1::DataType dtype);

// What an exception of LibTorch says, in one line without its stack trace.
std::string first_line(const std::exception& error);

}  // namespace adamec::torchscript
