#include "adamec/plan/cost/control_graph.h"
#include "adamec/plan/cost/infinite.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace adamec::plan {
namespace {

// Length of a path; of equal ones the one with more tier changes counts as longer.
struct Length {
  double ms = 0;
  int changes = 0;

  bool operator<(const Length& other) const {
    return ms != other.ms ? ms < other.ms : changes < other.changes;
  }
};

}  // namespace

ControlGraph::ControlGraph(const CostGraph& costs)
    : costs_(costs), routes_(costs), atom_count_(costs.atom_count()) {
  for (const Tier& tier : costs.tiers) {
    has_block_overhead_ = has_block_overhead_ || tier.block_overhead_ms > 0;
  }
  if (!costs.inputs.empty()) start_tier_ = costs.inputs.front().tier;
  const auto named = std::find_if(costs.outputs.begin(), costs.outputs.end(),
                                  [](const Endpoint& output) { return output.tier >= 0; });
  if (named != costs.outputs.end()) end_tier_ = named->tier;
  add_virtual_nodes();
  edges_to_.resize(static_cast<std::size_t>(node_count_));
  edges_from_.resize(static_cast<std::size_t>(node_count_));
  add_inputs();
  add_outputs();
}

void ControlGraph::add_virtual_nodes() {
  start_ = atom_count_;
  end_ = atom_count_ + 1;
  node_count_ = atom_count_ + 2;
  fixed_tier_.assign(static_cast<std::size_t>(node_count_), -1);
  fixed_tier_[start_] = start_tier_;
  fixed_tier_[end_] = end_tier_;
  const auto add = [&](const std::vector<Endpoint>& endpoints, int but, std::vector<int>& nodes) {
    nodes.assign(costs_.tiers.size(), -1);
    for (const Endpoint& endpoint : endpoints) {
      if (endpoint.tier >= 0 && endpoint.tier != but) nodes[endpoint.tier] = 0;
    }
    for (int tier = 0; tier < costs_.tier_count(); ++tier) {
      if (nodes[tier] < 0) continue;
      nodes[tier] = node_count_++;
      fixed_tier_.push_back(tier);
    }
  };
  add(costs_.inputs, start_tier_, other_inputs_);
  add(costs_.outputs, end_tier_, other_outputs_);
  const auto append = [&](const std::vector<int>& nodes) {
    std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(order_),
                 [](int node) { return node >= 0; });
  };
  order_.push_back(start_);
  append(other_inputs_);
  const auto& atoms = costs_.graph.topological_order();
  order_.insert(order_.end(), atoms.begin(), atoms.end());
  append(other_outputs_);
  order_.push_back(end_);
}

void ControlGraph::add_inputs() {
  const graph::AtomGraph& graph = costs_.graph;
  std::vector<int> source(graph.tensors().size(), -1);  // virtual node of inputs elsewhere
  for (const Endpoint& input : costs_.inputs) source[input.tensor] = other_inputs_[input.tier];
  for (int node : other_inputs_) {
    if (node >= 0) add_edge(start_, node);
  }
  for (int atom : graph.topological_order()) {
    std::vector<int> sources;
    for (int tensor : graph.atoms()[atom].inputs) {
      if (source[tensor] >= 0) sources.push_back(source[tensor]);
    }
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    for (int from : sources) add_edge(from, atom);
    for (int before : graph.predecessors(atom)) add_edge(before, atom);
    if (edges_to_[atom].empty()) add_edge(start_, atom);
  }
}

void ControlGraph::add_outputs() {
  std::vector<int> source(costs_.graph.tensors().size(), start_);
  for (const Endpoint& input : costs_.inputs) {
    if (other_inputs_[input.tier] >= 0) source[input.tensor] = other_inputs_[input.tier];
  }
  // Results that wait on the end's tier from the start still have to be seen there.
  std::vector<char> to_end(static_cast<std::size_t>(node_count_), 0);
  std::vector<std::vector<int>> delivered(costs_.tiers.size());
  for (const Endpoint& output : costs_.outputs) {
    if (output.tier < 0) continue;
    const int producer = costs_.graph.tensors()[output.tensor].producer;
    const int from = producer >= 0 ? producer : source[output.tensor];
    if (output.tier == end_tier_) {
      to_end[from] = 1;
    } else {
      delivered[output.tier].push_back(from);
    }
  }
  for (std::size_t tier = 0; tier < delivered.size(); ++tier) {
    auto& from = delivered[tier];
    std::sort(from.begin(), from.end());
    from.erase(std::unique(from.begin(), from.end()), from.end());
    for (int node : from) add_edge(node, other_outputs_[tier]);
  }
  const auto is_other_input = [&](int node) {
    return std::find(other_inputs_.begin(), other_inputs_.end(), node) != other_inputs_.end();
  };
  for (int node : order_) {
    if (node == end_) continue;
    const bool last =
        !is_atom(node) && is_other_input(node) ? to_end[node] != 0 : edges_from_[node].empty();
    if (last) add_edge(node, end_);
  }
}

void ControlGraph::add_edge(int from, int to) {
  const int index = static_cast<int>(edges_.size());
  edges_.push_back({from, to});
  edges_from_[from].push_back(index);
  edges_to_[to].push_back(index);
}

bool ControlGraph::is_alternating() const {
  return costs_.tier_count() <= 2 && !has_block_overhead_;
}

double ControlGraph::edge_ms(const Edge& edge, int from_tier, int to_tier) const {
  if (to_tier < 0) return 0;  // the end, anywhere
  double ms = from_tier == to_tier ? 0 : routes_.move_ms(from_tier, to_tier);
  if (is_atom(edge.to) && (from_tier != to_tier || !is_atom(edge.from))) {
    ms += costs_.tiers[to_tier].block_overhead_ms;
  }
  return ms;
}

double ControlGraph::handoff_ms(int moves) const {
  assert(costs_.tier_count() <= 2 && moves >= 0);
  const int other = 1 - start_tier_;
  double total = 0;
  const int back = moves / 2;  // every second one
  const int away = moves - back;
  if (away > 0) total += away * move_ms(start_tier_, other);
  if (back > 0) total += back * move_ms(other, start_tier_);
  return total;
}

void ControlGraph::phases(const Placement& placement, std::vector<int>& phases,
                          int earliest) const {
  assert(costs_.tier_count() <= 2 && earliest % 2 == 0);
  phases.assign(static_cast<std::size_t>(node_count_), 0);
  for (int node : order_) {
    const int tier = tier_of(node, placement);
    int phase = is_atom(node) && tier == start_tier_ ? earliest : 0;
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

double ControlGraph::longest_path_ms(const Placement& placement, std::vector<int>* edges) const {
  std::vector<Length> length(static_cast<std::size_t>(node_count_));
  std::vector<int> last(static_cast<std::size_t>(node_count_), -1);
  for (int node : order_) {
    const int tier = tier_of(node, placement);
    for (int edge : edges_to_[node]) {
      const int from = edges_[edge].from;
      const int from_tier = tier_of(from, placement);
      const int change = tier >= 0 && from_tier != tier ? 1 : 0;
      const Length whole{length[from].ms + edge_ms(edges_[edge], from_tier, tier),
                         length[from].changes + change};
      if (last[node] >= 0 && !(length[node] < whole)) continue;
      length[node] = whole;
      last[node] = edge;
    }
  }
  if (edges != nullptr) {
    edges->clear();
    for (int node = end_; node != start_; node = edges_[last[node]].from) {
      edges->push_back(last[node]);
    }
    std::reverse(edges->begin(), edges->end());
  }
  return length[end_].ms;
}

std::vector<double> ControlGraph::tails_ms(const Placement& placement) const {
  std::vector<double> tails(static_cast<std::size_t>(node_count_), 0);
  for (auto node = order_.rbegin(); node != order_.rend(); ++node) {
    const int tier = tier_of(*node, placement);
    for (int edge : edges_from_[*node]) {
      const int to = edges_[edge].to;
      tails[*node] =
          std::max(tails[*node], tails[to] + edge_ms(edges_[edge], tier, tier_of(to, placement)));
    }
  }
  return tails;
}

double ControlGraph::forced_ms(const std::vector<int>& pins) const {
  // earliest[node][tier]: no placement that keeps the pins has paid less when `node` runs there.
  const int tiers = costs_.tier_count();
  std::vector<double> earliest(static_cast<std::size_t>(node_count_) * tiers, 0);
  const auto at = [&](int node, int tier) -> double& {
    return earliest[static_cast<std::size_t>(node) * tiers + tier];
  };
  for (int node : order_) {
    const int pin = node < atom_count_ ? pins[node] : fixed_tier_[node];
    for (int tier = 0; tier < tiers; ++tier) {
      double& value = at(node, tier);
      if (pin >= 0 && pin != tier) value = kInfinite;
      for (int edge : edges_to_[node]) {
        const int from = edges_[edge].from;
        double least = kInfinite;
        for (int other = 0; other < tiers; ++other) {
          least = std::min(least, at(from, other) + edge_ms(edges_[edge], other, tier));
        }
        value = std::max(value, least);
      }
    }
  }
  return *std::min_element(&at(end_, 0), &at(end_, 0) + tiers);
}

}  // namespace adamec::plan
