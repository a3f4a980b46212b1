#pragma once

#include "adamec/torchscript/split.h"

namespace adamec::torchscript {

// Merges the atoms of a cut model into lossless blocks (archive/cuts.h), one atom each: what
// `--granularity block` writes. A block of one atom stays as it is; the others are GROUP atoms
// (STATEFUL or CONTROL_FLOW when one of their members is) that list their members and all of their
// operators. The manifest says what the reduction assumes.
//
// Weights that only one block needs move into it. Random numbers keep being drawn in the same
// order: where blocks would change it, nothing is merged.
void merge_blocks(SplitResult& result);

}  // namespace adamec::torchscript
