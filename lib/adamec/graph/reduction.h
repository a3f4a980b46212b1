#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "adamec/graph/atom_graph.h"

// Once-for-all reduction: which atoms no best two-tier plan ever needs to separate.
//
// A placement is the set S of atoms on the faster tier. It uploads U(S), the bytes of tensors made
// outside S and needed inside, and downloads W(S), those made inside and needed outside. A
// placement is dominated when another one leaves no less on the faster tier (a superset of S) and
// neither uploads nor downloads nor moves more.
//
// A set B of atoms is a lossless block when U(A) >= U(B) and W(A) >= W(B) for every non-empty part
// A of it. Then, because U and W are submodular, U(S + B) <= U(S) + U(B) - U(S and B) <= U(S) for
// every placement S that holds a part of B, and the same for W: whatever the bandwidths, all of B
// may join the faster tier. Moreover
//  - every tensor that enters B leads to every atom of B, and every atom of B leads to every tensor
//    that leaves it (else a part without the missing tensor would be cheaper). So B is convex,
//    blocks never wait for each other, and a path of control through S + B changes tiers no more
//    often than the one through the same ends and an atom of both S and B: no move is added;
//  - lossless blocks that overlap unite to one, so the largest ones are a partition.
// Input and result tensors may be on either tier: that they are on the slower one is the hardest
// case.
//
// What that needs: two tiers; atoms run one after another; the cost of a plan is its atoms'
// times, bytes / bandwidth per tensor and direction, and latency per move (the planner's cost);
// every atom merged with others is no slower on the faster tier than on the other one, by
// whatever ratio; no memory limit, pin or energy budget makes a plan impossible that has more of a
// block on the faster tier.
namespace adamec::graph {

// What happens to a tensor apart from its atoms.
struct TensorRole {
  bool travels = true;  // false: never sent (weights: they are wherever they are needed)
  bool result = false;  // the model returns it
};

// Lossless blocks, the largest possible: for every atom the number of its block. Blocks are
// numbered in the order of their first atoms; both follow the order of the atoms, which must be an
// execution order. Roles: one per tensor. Zero-sized tensors count as infinitesimally large.
// Takes time that grows with the square of the atoms (3,000 within seconds) and gives up within
// bounds: of more than kMaxReducedAtoms none are merged, and graphs made to be hard are merged less
// than possible, which loses nothing either.
// `alone` (one flag per atom, or empty): atoms that stay blocks of their own, because something
// else decides where they run (atoms that share state run on one tier).
[[nodiscard]] std::vector<int> lossless_blocks(const AtomGraph& graph,
                                               std::span<const TensorRole> roles,
                                               std::span<const char> alone = {});

inline constexpr std::size_t kMaxReducedAtoms = 10'000;

// The same assumptions for people, one sentence each: kept in manifests and shown by --help.
[[nodiscard]] const std::vector<std::string>& reduction_assumptions();

}  // namespace adamec::graph
