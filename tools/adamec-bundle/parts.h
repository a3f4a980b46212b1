#pragma once

#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/v1/bundle.pb.h"

namespace adamec::tools {

// Atoms that are in the same block in every plan of a request: one file of the bundle.
//
// With one plan the parts are its blocks. With several they are the blocks' common refinement, so
// that every atom is stored once and every block of every plan is a sequence of parts. A part is
// an intersection of convex sets, and convex. Blocks of a plan are numbered in execution order,
// which never falls along an edge of the graph; so parts ordered by their numbers in all plans
// (first by the first plan's) are in execution order, too.
struct BundlePart {
  std::vector<int> atoms;   // ascending
  std::vector<int> blocks;  // per plan: the block it is part of
};

// In execution order. Throws Error unless every plan runs every atom in exactly one block, on a
// tier that exists, and no block needs what a later one makes.
[[nodiscard]] std::vector<BundlePart> make_parts(const v1::BundleRequest& request,
                                                 const archive::Reader& archive);

}  // namespace adamec::tools
