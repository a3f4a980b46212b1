#pragma once

#include <span>
#include <string>
#include <vector>

#include "adamec/archive/archive.h"

namespace adamec::torchscript {

// A convex set of atoms as one TorchScript module.
struct Block {
  std::vector<std::string> inputs;   // tensor ids, in the order of forward()'s arguments
  std::vector<std::string> outputs;  // tensor ids; one: forward() returns it; several: a tuple
  std::string record;                // the module's file, as torch.jit.save would write it
};

// Combines atoms (indices into the manifest, each once) of an archive. The block's inputs are the
// tensors that come from elsewhere, its outputs those that are needed elsewhere or returned by the
// model; weights that atoms share are stored in the block. `frozen` folds attributes into constants
// (torch.jit.freeze), which saves the look-ups but keeps no named weights.
//
// Throws Error when the set is empty or not convex, naming a path that leaves and enters it again:
// as one block it would have to run before and after the atoms on that path.
Block combine(const archive::Reader& archive, std::span<const int> atoms, bool frozen = false);

}  // namespace adamec::torchscript
