#pragma once

#include <vector>

#include "adamec/graph/atom_graph.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::archive {

// Which cuts can be the best one in some context, under the assumptions of graph/reduction.h.
struct Cuts {
  std::vector<int> blocks;  // per atom: the number of its lossless block, in order of appearance
  int block_count = 0;
  // Per tensor: 0 when sending it from one tier to the other is always dominated: by a cut that
  // sends no more and leaves no less on the faster side.
  std::vector<char> may_be_cut;
};

// `graph` is the manifest's (check_manifest).
[[nodiscard]] Cuts possible_cuts(const v1::Manifest& manifest, const graph::AtomGraph& graph);

}  // namespace adamec::archive
