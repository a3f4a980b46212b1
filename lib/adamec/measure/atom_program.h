#pragma once

#include <span>
#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::measure {

// All it takes to run one atom, apart from values of its inputs.
struct AtomInput {
  v1::TensorType type;
  std::string weight_record;  // TorchScript file of a shared weight; empty: any tensor of the type
};

struct AtomProgram {
  std::string name;    // in messages: "model.atoms: conv1.conv2d"
  std::string record;  // TorchScript file
  std::vector<AtomInput> inputs;
};

// A program that takes these tensors (ids of the archive's manifest).
[[nodiscard]] AtomProgram make_program(const archive::Reader& archive, const std::string& name,
                                       std::string record, std::span<const std::string> inputs);

// Reads the atom's records. Throws Error when one is damaged.
[[nodiscard]] AtomProgram read_program(const archive::Reader& archive, const v1::Atom& atom);

}  // namespace adamec::measure
