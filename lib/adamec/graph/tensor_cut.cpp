#include "adamec/graph/tensor_cut.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace adamec::graph {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max() / 2;

}  // namespace

TensorCut::TensorCut(const AtomGraph& graph, std::span<const TensorRole> roles,
                     std::span<const std::int64_t> sizes, std::span<const int> atoms)
    : atoms_(atoms) {
  std::unordered_map<int, int> position;  // of an atom in the set
  for (std::size_t i = 0; i < atoms.size(); ++i) position[atoms[i]] = static_cast<int>(i);
  outside_ = static_cast<int>(atoms.size());
  beyond_ = outside_ + 1;
  arcs_.resize(atoms.size() + 2);
  std::unordered_map<int, int> entering;  // node of a tensor made elsewhere
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const int atom = static_cast<int>(i);
    for (const int tensor : graph.atoms()[atoms[i]].inputs) {
      const int producer = graph.tensors()[tensor].producer;
      if (!roles[tensor].travels || (producer >= 0 && position.count(producer) != 0)) continue;
      const auto [at, added] = entering.emplace(tensor, static_cast<int>(arcs_.size()));
      if (added) {
        arcs_.emplace_back();
        add_arc(outside_, at->second, sizes[tensor]);
      }
      add_arc(at->second, atom, kUnlimited);
    }
    for (const int tensor : graph.atoms()[atoms[i]].outputs) {
      const int node = static_cast<int>(arcs_.size());
      arcs_.emplace_back();
      add_arc(atom, node, sizes[tensor]);
      bool leaves = roles[tensor].result;
      for (const int consumer : graph.tensors()[tensor].consumers) {
        const auto inside = position.find(consumer);
        leaves = leaves || inside == position.end();
        if (inside != position.end()) add_arc(node, inside->second, kUnlimited);
      }
      if (leaves) add_arc(node, beyond_, kUnlimited);
    }
  }
}

void TensorCut::add_arc(int from, int to, std::int64_t capacity) {
  arcs_[from].push_back({to, static_cast<int>(arcs_[to].size()), capacity, 0});
  arcs_[to].push_back({from, static_cast<int>(arcs_[from].size()) - 1, 0, 0});
}

bool TensorCut::find_levels(int source, int sink) {
  levels_.assign(arcs_.size(), -1);
  levels_[source] = 0;
  std::vector<int> queue{source};
  for (std::size_t i = 0; i < queue.size() && levels_[sink] < 0; ++i) {
    for (const Arc& arc : arcs_[queue[i]]) {
      if (arc.left == 0 || levels_[arc.to] >= 0) continue;
      levels_[arc.to] = levels_[queue[i]] + 1;
      queue.push_back(arc.to);
    }
  }
  return levels_[sink] >= 0;
}

// Sends flow along one path of rising levels; without recursion, for networks may be deep.
std::int64_t TensorCut::push(int node, int sink, std::int64_t amount) {
  std::vector<Arc*> path;
  while (node != sink) {
    std::size_t& at = next_[node];
    while (at < arcs_[node].size() &&
           (arcs_[node][at].left == 0 || levels_[arcs_[node][at].to] != levels_[node] + 1)) {
      ++at;
    }
    if (at < arcs_[node].size()) {
      path.push_back(&arcs_[node][at]);
      node = path.back()->to;
    } else if (path.empty()) {
      return 0;
    } else {  // a dead end: one step back, and never here again
      node = arcs_[path.back()->to][path.back()->back].to;
      path.pop_back();
      ++next_[node];
    }
  }
  for (const Arc* arc : path) amount = std::min(amount, arc->left);
  for (Arc* arc : path) {
    arc->left -= amount;
    arcs_[arc->to][arc->back].left += amount;
  }
  return amount;
}

void TensorCut::saturate(int source, int sink) {
  for (auto& arcs : arcs_) {
    for (Arc& arc : arcs) arc.left = arc.capacity;
  }
  while (find_levels(source, sink)) {
    next_.assign(arcs_.size(), 0);
    while (push(source, sink, kUnlimited) > 0) {
    }
  }
}

std::vector<char> TensorCut::connected(int start, bool forward) const {
  std::vector<char> reached(arcs_.size(), 0);
  reached[start] = 1;
  std::vector<int> queue{start};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    for (const Arc& arc : arcs_[queue[i]]) {
      const std::int64_t left = forward ? arc.left : arcs_[arc.to][arc.back].left;
      if (left == 0 || reached[arc.to] != 0) continue;
      reached[arc.to] = 1;
      queue.push_back(arc.to);
    }
  }
  return reached;
}

std::vector<char> TensorCut::least_upload(int position) {
  saturate(outside_, position);
  std::vector<char> part = connected(outside_, true);
  part.resize(atoms_.size());
  for (char& inside : part) inside = inside == 0 ? 1 : 0;
  return part;
}

std::vector<char> TensorCut::least_download(int position) {
  saturate(position, beyond_);
  std::vector<char> part = connected(beyond_, false);
  part.resize(atoms_.size());
  for (char& inside : part) inside = inside == 0 ? 1 : 0;
  return part;
}

}  // namespace adamec::graph
