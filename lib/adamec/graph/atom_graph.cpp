#include "adamec/graph/atom_graph.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

#include "adamec/base/error.h"

namespace adamec::graph {
namespace {

// Indices of `items` sorted by id; throws when two have the same.
template <typename Item>
std::vector<int> sorted_by_id(const std::vector<Item>& items, const std::string& source,
                              const char* what) {
  std::vector<int> indices(items.size());
  std::iota(indices.begin(), indices.end(), 0);
  std::sort(indices.begin(), indices.end(),
            [&](int a, int b) { return items[a].id < items[b].id; });
  const auto same = [&](int a, int b) { return items[a].id == items[b].id; };
  const auto twice = std::adjacent_find(indices.begin(), indices.end(), same);
  if (twice != indices.end()) {
    fail("{}: two {}s have the id '{}'", source, what, printable(items[*twice].id));
  }
  return indices;
}

template <typename Item>
std::optional<int> find(const std::vector<Item>& items, const std::vector<int>& sorted,
                        const std::string& id) {
  const auto at =
      std::lower_bound(sorted.begin(), sorted.end(), id,
                       [&](int index, const std::string& key) { return items[index].id < key; });
  if (at == sorted.end() || items[*at].id != id) return std::nullopt;
  return *at;
}

void sort_unique(std::vector<int>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

AtomGraph::AtomGraph(std::span<const TensorDescription> tensors,
                     std::span<const AtomDescription> atoms, const std::string& source) {
  for (const TensorDescription& tensor : tensors) {
    tensors_.push_back({tensor.id, tensor.bytes, -1, {}});
  }
  tensors_by_id_ = sorted_by_id(tensors_, source, "tensor");
  for (const AtomDescription& description : atoms) {
    const int index = static_cast<int>(atoms_.size());
    const auto resolve = [&](const std::string& id, const char* field) {
      const auto tensor = find_tensor(id);
      if (!tensor) {
        fail("{}: atom '{}': {}: unknown tensor '{}'", source, printable(description.id), field,
             printable(id));
      }
      return *tensor;
    };
    Atom atom{description.id, {}, {}};
    for (const std::string& id : description.inputs) {
      atom.inputs.push_back(resolve(id, "inputs"));
      tensors_[atom.inputs.back()].consumers.push_back(index);
    }
    for (const std::string& id : description.outputs) {
      Tensor& tensor = tensors_[resolve(id, "outputs")];
      if (tensor.producer >= 0) {
        fail("{}: tensor '{}' is an output of two atoms, '{}' and '{}'", source, printable(id),
             printable(tensor.producer == index ? description.id : atoms_[tensor.producer].id),
             printable(description.id));
      }
      tensor.producer = index;
      atom.outputs.push_back(static_cast<int>(&tensor - tensors_.data()));
    }
    atoms_.push_back(std::move(atom));
  }
  atoms_by_id_ = sorted_by_id(atoms_, source, "atom");

  successors_.resize(atoms_.size());
  predecessors_.resize(atoms_.size());
  for (Tensor& tensor : tensors_) {
    sort_unique(tensor.consumers);
    if (tensor.producer < 0) continue;
    for (int consumer : tensor.consumers) {
      successors_[tensor.producer].push_back(consumer);
      predecessors_[consumer].push_back(tensor.producer);
    }
  }
  for (auto& list : successors_) sort_unique(list);
  for (auto& list : predecessors_) sort_unique(list);

  std::vector<std::size_t> waiting(atoms_.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    waiting[i] = predecessors_[i].size();
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  while (!ready.empty()) {
    const int atom = ready.top();
    ready.pop();
    order_.push_back(atom);
    for (int next : successors_[atom]) {
      if (--waiting[next] == 0) ready.push(next);
    }
  }
  if (order_.size() != atoms_.size()) {
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](auto n) { return n > 0; });
    fail("{}: the atoms form a cycle through '{}'", source,
         printable(atoms_[static_cast<std::size_t>(stuck - waiting.begin())].id));
  }
}

std::optional<int> AtomGraph::find_tensor(const std::string& id) const {
  return find(tensors_, tensors_by_id_, id);
}

std::optional<int> AtomGraph::find_atom(const std::string& id) const {
  return find(atoms_, atoms_by_id_, id);
}

std::vector<int> AtomGraph::path_outside(std::span<const int> atoms) const {
  std::vector<char> inside(atoms_.size(), 0);
  for (int atom : atoms) inside[atom] = 1;
  // For every atom outside that the set reaches: the atom before it on such a path.
  std::vector<int> reached_from(atoms_.size(), -1);
  for (int atom : order_) {
    if (!inside[atom] && reached_from[atom] < 0) continue;
    for (int next : successors_[atom]) {
      if (!inside[next]) {
        if (reached_from[next] < 0) reached_from[next] = atom;
      } else if (!inside[atom]) {
        std::vector<int> path{next, atom};
        while (!inside[path.back()]) path.push_back(reached_from[path.back()]);
        std::reverse(path.begin(), path.end());
        return path;
      }
    }
  }
  return {};
}

}  // namespace adamec::graph
