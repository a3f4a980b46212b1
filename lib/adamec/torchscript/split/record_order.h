#pragma once

#include <atomic>
#include <cstddef>
#include <unordered_map>
#include <vector>

#include "adamec/torchscript/cut/cut.h"
#include "adamec/torchscript/specialise/specialise.h"

// In which order the atoms' records are made, and when their weights can be forgotten.
namespace adamec::torchscript {

// Counts the atoms whose records still need a weight. Weights that the model returns as they are
// are needed for good.
class WeightUses {
 public:
  WeightUses(const Residual& residual, const std::vector<AtomDraft>& drafts);

  // The record of this atom has been made: the weights that no other one needs. Called once for
  // each atom, by any thread.
  [[nodiscard]] std::vector<jit::Value*> finished(const AtomDraft& draft);

 private:
  std::unordered_map<jit::Value*, std::atomic<int>> left_;
};

// Indices of the atoms by the bytes of their weights: the largest may take as long as the rest.
[[nodiscard]] std::vector<std::size_t> largest_first(const Residual& residual,
                                                     const std::vector<AtomDraft>& drafts);

}  // namespace adamec::torchscript
