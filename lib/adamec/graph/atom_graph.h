#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace adamec::graph {

// A directed acyclic graph of atoms and the tensors that flow between them. Plain values: indices,
// names, no weights, no costs. Shared by the archive (what an atom file contains) and the planner.
struct Tensor {
  std::string id;
  std::uint64_t bytes = 0;
  int producer = -1;           // atom index; -1: not produced by an atom (input or weight)
  std::vector<int> consumers;  // atom indices, ascending, each once
};

struct Atom {
  std::string id;
  std::vector<int> inputs;   // tensor indices
  std::vector<int> outputs;  // tensor indices
};

// What AtomGraph is made from: tensors by id.
struct AtomDescription {
  std::string id;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};
struct TensorDescription {
  std::string id;
  std::uint64_t bytes = 0;
};

class AtomGraph {
 public:
  AtomGraph() = default;
  // Throws Error, prefixed by `source` (a file name), for duplicate or unknown ids, a tensor with
  // two producers, and cycles.
  AtomGraph(std::span<const TensorDescription> tensors, std::span<const AtomDescription> atoms,
            const std::string& source);

  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
  [[nodiscard]] const std::vector<Atom>& atoms() const { return atoms_; }
  // Atom indices so that producers come before consumers; among the possible orders the one that
  // follows the given order of atoms most closely (smallest index first).
  [[nodiscard]] const std::vector<int>& topological_order() const { return order_; }
  // Atoms that consume an output of `atom`, ascending, each once.
  [[nodiscard]] const std::vector<int>& successors(int atom) const { return successors_[atom]; }
  [[nodiscard]] const std::vector<int>& predecessors(int atom) const { return predecessors_[atom]; }

  [[nodiscard]] std::optional<int> find_tensor(const std::string& id) const;
  [[nodiscard]] std::optional<int> find_atom(const std::string& id) const;

  // A path of atoms that leaves the set and enters it again, first and last atom inside, all others
  // outside; empty when the set is convex (may become one block).
  [[nodiscard]] std::vector<int> path_outside(std::span<const int> atoms) const;
  [[nodiscard]] bool is_convex(std::span<const int> atoms) const {
    return path_outside(atoms).empty();
  }

 private:
  std::vector<Tensor> tensors_;
  std::vector<Atom> atoms_;
  std::vector<int> order_;
  std::vector<std::vector<int>> successors_;
  std::vector<std::vector<int>> predecessors_;
  std::vector<int> tensors_by_id_;  // indices sorted by id
  std::vector<int> atoms_by_id_;
};

}  // namespace adamec::graph
