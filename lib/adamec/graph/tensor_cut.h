#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adamec/graph/atom_graph.h"
#include "adamec/graph/reduction.h"

namespace adamec::graph {

// Minimum cuts of tensors around parts of a set of atoms, by maximum flow (Dinic). A tensor is a
// node that lets through as much as it has bytes, so that it counts once however many atoms need
// it.
class TensorCut {
 public:
  // `atoms` are the set B; sizes: one per tensor. All must outlive this object.
  TensorCut(const AtomGraph& graph, std::span<const TensorRole> roles,
            std::span<const std::int64_t> sizes, std::span<const int> atoms);

  // Of all parts of B that contain the atom at `position`, the largest one of those that upload /
  // download least: one flag per atom of B.
  std::vector<char> least_upload(int position);
  std::vector<char> least_download(int position);

 private:
  struct Arc {
    int to;
    int back;  // index of the opposite arc
    std::int64_t capacity;
    std::int64_t left;
  };

  void add_arc(int from, int to, std::int64_t capacity);
  void saturate(int source, int sink);
  bool find_levels(int source, int sink);
  std::int64_t push(int node, int sink, std::int64_t amount);
  // Nodes that flow could still reach from `start`, or from which it could still reach `start`.
  std::vector<char> connected(int start, bool forward) const;

  std::span<const int> atoms_;
  int outside_ = 0;  // where entering tensors come from
  int beyond_ = 0;   // where leaving tensors go
  std::vector<std::vector<Arc>> arcs_;
  std::vector<int> levels_;
  std::vector<std::size_t> next_;
};

}  // namespace adamec::graph
