#pragma once

#include <vector>

#include "adamec/torchscript/blocks/combine.h"
#include "adamec/torchscript/split/split.h"

namespace adamec::torchscript {

// The atoms of a cut model in larger pieces: one atom for each of the `blocks`, which are a
// partition of the atoms into convex sets, producers first. A block of one atom stays as it is; the
// others are GROUP atoms (STATEFUL or CONTROL_FLOW when one of their members is) that list their
// members and all of their operators. Weights that only one block needs move into it.
[[nodiscard]] SplitResult merge_atoms(SplitResult result,
                                      const std::vector<std::vector<int>>& blocks,
                                      BlockForm form = BlockForm::kNamedWeights);

// Merges the atoms into lossless blocks (archive/cuts.h): what `--granularity block` writes. The
// manifest says what the reduction assumes. Random numbers keep being drawn in the same order:
// where blocks would change it, nothing is merged.
[[nodiscard]] SplitResult merge_into_lossless_blocks(SplitResult result);

}  // namespace adamec::torchscript
