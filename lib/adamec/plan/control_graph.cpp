#include "adamec/plan/control_graph.h"

#include <algorithm>
#include <array>
#include <limits>

namespace adamec::plan {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

}  // namespace

ControlGraph::ControlGraph(const CostGraph& costs)
    : costs_(costs), atom_count_(costs.atom_count()) {
  if (!costs.inputs.empty()) start_tier_ = costs.inputs.front().tier;
  const auto named = std::find_if(costs.outputs.begin(), costs.outputs.end(),
                                  [](const Endpoint& output) { return output.tier >= 0; });
  if (named != costs.outputs.end()) end_tier_ = named->tier;

  start_ = atom_count_;
  end_ = atom_count_ + 1;
  node_count_ = atom_count_ + 2;
  const auto elsewhere = [](const std::vector<Endpoint>& endpoints, int tier) {
    return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
      return endpoint.tier >= 0 && endpoint.tier != tier;
    });
  };
  const int other_inputs = elsewhere(costs.inputs, start_tier_) ? node_count_++ : -1;
  const int other_outputs = elsewhere(costs.outputs, end_tier_) ? node_count_++ : -1;
  fixed_tier_.assign(static_cast<std::size_t>(node_count_), -1);
  fixed_tier_[start_] = start_tier_;
  fixed_tier_[end_] = end_tier_;
  if (other_inputs >= 0) fixed_tier_[other_inputs] = 1 - start_tier_;
  if (other_outputs >= 0) fixed_tier_[other_outputs] = 1 - end_tier_;

  order_.push_back(start_);
  if (other_inputs >= 0) order_.push_back(other_inputs);
  const graph::AtomGraph& graph = costs.graph;
  order_.insert(order_.end(), graph.topological_order().begin(), graph.topological_order().end());
  if (other_outputs >= 0) order_.push_back(other_outputs);
  order_.push_back(end_);

  edges_to_.resize(static_cast<std::size_t>(node_count_));
  edges_from_.resize(static_cast<std::size_t>(node_count_));
  std::vector<char> is_other(graph.tensors().size(), 0);
  for (const Endpoint& input : costs.inputs) {
    is_other[input.tensor] = input.tier != start_tier_;
  }
  if (other_inputs >= 0) add_edge(start_, other_inputs);
  for (int atom : graph.topological_order()) {
    const auto& inputs = graph.atoms()[atom].inputs;
    const bool needs_other = std::any_of(inputs.begin(), inputs.end(),
                                         [&](int tensor) { return is_other[tensor] != 0; });
    if (needs_other) add_edge(other_inputs, atom);
    for (int before : graph.predecessors(atom)) add_edge(before, atom);
    if (edges_to_[atom].empty()) add_edge(start_, atom);
  }
  bool result_is_other = false;
  std::vector<char> delivered(static_cast<std::size_t>(node_count_), 0);
  for (const Endpoint& output : costs.outputs) {
    if (output.tier < 0) continue;
    const int producer = graph.tensors()[output.tensor].producer;
    if (output.tier == end_tier_) {
      result_is_other = result_is_other || (producer < 0 && is_other[output.tensor]);
      continue;
    }
    const int from = producer >= 0 ? producer : is_other[output.tensor] ? other_inputs : start_;
    if (!std::exchange(delivered[from], 1)) add_edge(from, other_outputs);
  }
  for (int node : order_) {
    if (node == end_) continue;
    const bool last = node == other_inputs ? result_is_other : edges_from_[node].empty();
    if (last) add_edge(node, end_);
  }
}

void ControlGraph::add_edge(int from, int to) {
  const int index = static_cast<int>(edges_.size());
  edges_.push_back({from, to});
  edges_from_[from].push_back(index);
  edges_to_[to].push_back(index);
}

double ControlGraph::move_ms(int from, int to) const {
  const auto& link = costs_.link(from, to);
  return link ? link->latency_ms : kInfinite;
}

double ControlGraph::handoff_ms(int moves) const {
  const int other = 1 - start_tier_;
  double total = 0;
  if (moves > 0) total += (moves + 1) / 2 * move_ms(start_tier_, other);
  if (moves > 1) total += moves / 2 * move_ms(other, start_tier_);
  return total;
}

void ControlGraph::phases(const Placement& placement, std::vector<int>& phases) const {
  phases.assign(static_cast<std::size_t>(node_count_), 0);
  for (int node : order_) {
    const int tier = tier_of(node, placement);
    int phase = 0;
    for (int edge : edges_to_[node]) {
      const int from = edges_[edge].from;
      const int change = tier >= 0 && tier_of(from, placement) != tier ? 1 : 0;
      phase = std::max(phase, phases[from] + change);
    }
    phases[node] = phase;
  }
}

int ControlGraph::moves(const Placement& placement) const {
  std::vector<int> all;
  phases(placement, all);
  return all[end_];
}

std::vector<int> ControlGraph::critical_path(const Placement& placement,
                                             const std::vector<int>& phases) const {
  std::vector<int> path;
  for (int node = end_; node != start_;) {
    const int tier = tier_of(node, placement);
    for (int edge : edges_to_[node]) {
      const int from = edges_[edge].from;
      const int change = tier >= 0 && tier_of(from, placement) != tier ? 1 : 0;
      if (phases[from] + change == phases[node]) {
        path.push_back(edge);
        node = from;
        break;
      }
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

int ControlGraph::forced_moves(const std::vector<int>& pins) const {
  // earliest[node][tier]: no placement that keeps the pins runs `node` on `tier` in an earlier
  // phase.
  constexpr int kNever = std::numeric_limits<int>::max() / 2;
  std::vector<std::array<int, 2>> earliest(static_cast<std::size_t>(node_count_));
  for (int node : order_) {
    const int pin = node < atom_count_ ? pins[node] : fixed_tier_[node];
    for (int tier = 0; tier < 2; ++tier) {
      int& phase = earliest[node][tier];
      phase = pin >= 0 && pin != tier ? kNever : 0;
      for (int edge : edges_to_[node]) {
        const auto& from = earliest[edges_[edge].from];
        const auto same = from[tier];
        const auto changed = from[1 - tier] + 1;
        phase = std::max(phase, std::min(same, changed));
      }
    }
  }
  const auto& last = earliest[end_];
  return std::min(last[0], last[1]);
}

}  // namespace adamec::plan
