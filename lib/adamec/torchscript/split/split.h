#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/v1/archive.pb.h"

// Cutting a TorchScript model into atoms. The rest of this room is used by tests and other rooms
// that know LibTorch; this header does not need it.
namespace adamec::torchscript {

// How much an atom holds.
enum class Granularity {
  kOperator,  // one tensor operator
  kBlock,     // operators that no best two-tier plan separates (graph/reduction.h)
};

struct SplitOptions {
  std::string model;                   // path; "-" is standard input
  std::vector<std::string> inputs;     // input_spec.h, one per argument
  std::string inputs_from;             // or a file written by torch.save
  std::vector<std::string> libraries;  // shared libraries of custom operators
  std::string method = "forward";
  std::string dynamic;  // dimensions whose sizes stay open (open_sizes.h); empty: none
  Granularity granularity = Granularity::kOperator;
  bool verify = true;
  std::uint64_t seed = 0;  // of the example inputs and of random operators
  // Takes the records as soon as they are final, while they are still being checked; its manifest
  // is the caller's to write.
  archive::Writer* writer = nullptr;
  // Called with the atoms done so far and their number.
  std::function<void(std::size_t, std::size_t)> progress;
};

struct SplitResult {
  v1::Manifest manifest;
  std::vector<archive::Record> records;  // in manifest order: weights, then atoms
  std::vector<std::string> warnings;
};

// Loads, specialises, cuts and verifies: the atoms, loaded from their records and run one by one,
// give bit-identical results to the model itself. Throws Error when the model cannot be loaded, the
// inputs do not fit, or verification fails.
[[nodiscard]] SplitResult split_model(const SplitOptions& options);

// "1.13.1"
[[nodiscard]] std::string libtorch_version();

}  // namespace adamec::torchscript
