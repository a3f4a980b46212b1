#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adamec/archive/archive.h"

namespace adamec::torchscript {

// A convex set of atoms as one TorchScript module.
struct BlockModule {
  std::vector<std::string> inputs;   // tensor ids, in the order of forward()'s arguments
  std::vector<std::string> outputs;  // tensor ids; one: forward() returns it; several: a tuple
  std::string record;                // the module's file, as torch.jit.save would write it
};

enum class BlockForm {
  kNamedWeights,  // weights are buffers, as in the atoms
  kFrozen,        // weights are constants (torch.jit.freeze), which saves the look-ups
  // Frozen, and what of torch.jit.optimize_for_inference can be kept in a file: batch normalisation
  // is folded into convolutions, linear layers of one input are joined, and so on. No longer
  // bit-identical. The rest, weights in the layout of oneDNN, LibTorch writes but does not read
  // again (1.13 as well as 2.13); it is for whoever loads the block, see optimize.h.
  kOptimized,
};

struct BlockOptions {
  BlockForm form = BlockForm::kNamedWeights;
  // Weights shared by atoms that stay inputs of the block; all others are stored in it.
  std::set<std::string> weights_outside;
};

// Where atoms come from: an archive, or one that is being made.
struct AtomSource {
  const v1::Manifest& manifest;
  const graph::AtomGraph& graph;
  std::string name;                                            // in messages
  std::function<std::string_view(const std::string&)> record;  // its bytes, until the next call
};

// Combines atoms (indices into the manifest, each once). The block's inputs are the tensors that
// come from elsewhere, its outputs those that are needed elsewhere or returned by the model.
//
// Throws Error when the set is empty or not convex, naming a path that leaves and enters it again:
// as one block it would have to run before and after the atoms on that path.
[[nodiscard]] BlockModule combine(const AtomSource& source, std::span<const int> atoms,
                                  const BlockOptions& options);
[[nodiscard]] BlockModule combine(const archive::Reader& archive, std::span<const int> atoms,
                                  const BlockOptions& options);
[[nodiscard]] BlockModule combine(const archive::Reader& archive, std::span<const int> atoms,
                                  bool frozen = false);

}  // namespace adamec::torchscript
