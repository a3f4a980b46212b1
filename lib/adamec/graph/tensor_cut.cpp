#include "adamec/graph/tensor_cut.h"

#include <limits>
#include <unordered_map>

namespace adamec::graph {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max() / 2;

}  // namespace

// Nodes are the atoms of the set, then the tensors that enter it or that its atoms make.
struct TensorCut::Shape {
  Shape(const AtomGraph& graph, std::span<const TensorRole> roles,
        std::span<const std::int64_t> sizes, std::span<const int> atoms);

  int add_node(std::int64_t enters) {
    entering.push_back(enters);
    leaves.push_back(0);
    return static_cast<int>(entering.size()) - 1;
  }
  void add_arc(int from, int to, std::int64_t capacity) {
    arcs.push_back({from, to});
    capacities.push_back(capacity);
  }

  std::vector<FlowNetwork::Arc> arcs;
  std::vector<std::int64_t> capacities;
  std::vector<std::int64_t> entering;  // per node: of a tensor from outside, its size
  std::vector<char> leaves;            // per node: whether it is a tensor that is needed outside
};

TensorCut::Shape::Shape(const AtomGraph& graph, std::span<const TensorRole> roles,
                        std::span<const std::int64_t> sizes, std::span<const int> atoms) {
  std::unordered_map<int, int> position;  // of an atom in the set
  for (const int atom : atoms) position[atom] = add_node(0);
  std::unordered_map<int, int> outside;  // node of a tensor made elsewhere
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const int atom = static_cast<int>(i);
    for (const int tensor : graph.atoms()[atoms[i]].inputs) {
      const int producer = graph.tensors()[tensor].producer;
      if (!roles[tensor].travels || (producer >= 0 && position.count(producer) != 0)) continue;
      const auto [at, added] = outside.emplace(tensor, 0);
      if (added) at->second = add_node(sizes[tensor]);
      add_arc(at->second, atom, kUnlimited);
    }
    for (const int tensor : graph.atoms()[atoms[i]].outputs) {
      const int node = add_node(0);
      add_arc(atom, node, sizes[tensor]);
      leaves[node] = roles[tensor].result ? 1 : 0;
      for (const int consumer : graph.tensors()[tensor].consumers) {
        const auto inside = position.find(consumer);
        if (inside == position.end()) {
          leaves[node] = 1;
        } else {
          add_arc(node, inside->second, kUnlimited);
        }
      }
    }
  }
}

TensorCut::TensorCut(const AtomGraph& graph, std::span<const TensorRole> roles,
                     std::span<const std::int64_t> sizes, std::span<const int> atoms)
    : TensorCut(Shape(graph, roles, sizes, atoms), atoms.size()) {}

TensorCut::TensorCut(const Shape& shape, std::size_t atoms)
    : atoms_(atoms), network_(static_cast<int>(shape.entering.size()), shape.arcs) {
  const std::vector<std::int64_t> none(shape.arcs.size(), 0);
  upload_ = {none, shape.capacities, {}};
  download_ = {shape.capacities, none, {}};
  for (std::size_t node = 0; node < shape.entering.size(); ++node) {
    upload_.terminal.push_back(-shape.entering[node]);
    download_.terminal.push_back(shape.leaves[node] != 0 ? -kUnlimited : 0);
  }
}

// Flow from the atom to where tensors enter, or leave. The sink's side of the cut is the smallest
// there is, so the atom's side is the largest.
std::vector<char> TensorCut::solve(FlowNetwork::Capacities& capacities, int position) {
  capacities.terminal[position] = kUnlimited;
  network_.min_cut(capacities, sink_side_);
  capacities.terminal[position] = 0;
  std::vector<char> part(atoms_);
  for (std::size_t i = 0; i < atoms_; ++i) part[i] = sink_side_[i] == 0 ? 1 : 0;
  return part;
}

}  // namespace adamec::graph
