#pragma once

#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/measure/atom_program.h"
#include "tools/adamec-profile/options.h"

namespace adamec::tools {

// Atoms of --synthesize: described like an archive's, but their records are made when needed.
struct Synthetic {
  v1::Manifest manifest;  // of atoms that have nothing to do with each other
  graph::AtomGraph graph;
  std::vector<v1::Operator> operators;  // by atom
  std::vector<std::string> refused;     // "conv2d:7: reason"
};

// Near what the archives have. Runs every one of them once.
[[nodiscard]] Synthetic make_synthetic(const std::vector<archive::Reader>& archives,
                                       const ProfileConfig& config);

// Makes the atom, an index into `operators`.
[[nodiscard]] measure::AtomProgram synthetic_program(const Synthetic& synthetic, int atom,
                                                     std::uint64_t seed);

}  // namespace adamec::tools
