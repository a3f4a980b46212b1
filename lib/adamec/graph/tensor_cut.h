#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "adamec/graph/atom_graph.h"
#include "adamec/graph/max_flow.h"
#include "adamec/graph/reduction.h"

namespace adamec::graph {

// Minimum cuts of tensors around parts of a set of atoms. A tensor is a node that lets through as
// much as it has bytes, so that it counts once however many atoms need it.
class TensorCut {
 public:
  // `atoms` are the set B; sizes: one per tensor, their sum at most 2^61. All must outlive this
  // object.
  TensorCut(const AtomGraph& graph, std::span<const TensorRole> roles,
            std::span<const std::int64_t> sizes, std::span<const int> atoms);

  // Of all parts of B that contain the atom at `position`, the largest one of those that upload /
  // download least: one flag per atom of B.
  [[nodiscard]] std::vector<char> least_upload(int position) { return solve(upload_, position); }
  [[nodiscard]] std::vector<char> least_download(int position) {
    return solve(download_, position);
  }

 private:
  struct Shape;

  TensorCut(const Shape& shape, std::size_t atoms);
  std::vector<char> solve(FlowNetwork::Capacities& capacities, int position);

  std::size_t atoms_;
  FlowNetwork network_;
  FlowNetwork::Capacities upload_;  // arcs turned round: flow runs back to where tensors enter
  FlowNetwork::Capacities download_;
  std::vector<char> sink_side_;
};

}  // namespace adamec::graph
