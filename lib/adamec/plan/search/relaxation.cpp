#include "adamec/plan/search/relaxation.h"

#include <algorithm>
#include <cmath>

namespace adamec::plan {
Relaxation::Relaxation(const Evaluator& evaluator, Model model)
    : evaluator_(evaluator),
      costs_(evaluator.costs()),
      model_(model),
      line_(costs_, evaluator.routes()),
      atom_count_(costs_.atom_count()),
      hops_(line_.hops()) {
  double finite = 1;
  for (const AtomCost& atom : costs_.atoms) {
    for (double ms : atom.latency_ms) finite += ms;
    weight_bytes_ += static_cast<double>(atom.weight_bytes);
  }
  const double edges = static_cast<double>(evaluator.control().edges().size());
  for (const Tier& tier : costs_.tiers) finite += edges * tier.block_overhead_ms;
  for (const auto& link : costs_.links) {
    if (!link) continue;
    finite += edges * link->latency_ms;
    for (const graph::Tensor& tensor : costs_.graph.tensors()) {
      finite += link->transfer_ms(tensor.bytes);
    }
  }
  forbidden_cost_ = 2 * finite;
  add_atoms();
  const int tensors = static_cast<int>(costs_.graph.tensors().size());
  for (int tensor = 0; tensor < tensors; ++tensor) add_tensor(tensor);
  add_control_edges();

  std::vector<graph::FlowNetwork::Arc> shape;
  for (const CutCost& arc : arcs_) {
    shape.push_back({arc.from, arc.to});
    total_cost_ += arc.forward + arc.backward;
  }
  for (const auto& cost : unary_) total_cost_ += std::abs(cost[0]) + std::abs(cost[1]);
  for (const EdgeSlot& slot : slots_) all_moves_cost_ += slot.ms[0] + slot.ms[1];
  network_.emplace_back(static_cast<int>(unary_.size()), shape);
  arc_of_.clear();
}

void Relaxation::add_atoms() {
  unary_.reserve(costs_.atoms.size() * static_cast<std::size_t>(hops_));
  for (const AtomCost& atom : costs_.atoms) {
    const auto ms = [&](int position) {
      const int tier = line_.tiers[position];
      return hops_ == 1 || atom.allowed[tier] ? atom.latency_ms[tier] : forbidden_cost_;
    };
    for (int hop = 0; hop < hops_; ++hop) {
      // The first node carries the whole cost of its sides, the others what comes on top.
      unary_.push_back(hop == 0 ? std::array{ms(0), ms(1)}
                                : std::array{0.0, ms(hop + 1) - ms(hop)});
    }
  }
  for (int atom = 0; atom < atom_count_; ++atom) {
    for (int hop = 0; hop + 1 < hops_; ++hop) {
      arcs_.push_back({atom_node(atom, hop), atom_node(atom, hop + 1)});
    }
  }
  order_arcs_ = arcs_.size();
}

double Relaxation::transfer_cost(int tensor, int hop, bool up) const {
  const int to = line_.tiers[up ? hop + 1 : hop];
  if (model_ == Model::kOneAuxiliary && to == evaluator_.control().start_tier()) return 0;
  const double per_byte = up ? line_.up_ms_per_byte[hop] : line_.down_ms_per_byte[hop];
  if (std::isinf(per_byte)) return forbidden_cost_;
  return static_cast<double>(costs_.graph.tensors()[tensor].bytes) * per_byte;
}

int Relaxation::add_auxiliary(int tensor, int hop, bool up) {
  unary_.push_back({0, 0});
  auxiliaries_.push_back({tensor, hop, up});
  return static_cast<int>(unary_.size()) - 1;
}

// The arc between two nodes of atoms, made when there is none.
int Relaxation::arc_between(int from, int to) {
  const std::uint64_t key = static_cast<std::uint64_t>(from) << 32 | static_cast<unsigned>(to);
  const auto [at, inserted] = arc_of_.emplace(key, static_cast<int>(arcs_.size()));
  if (inserted) arcs_.push_back({from, to});
  return at->second;
}

void Relaxation::add_tensor(int tensor) {
  const int producer = costs_.graph.tensors()[tensor].producer;
  for (int hop = 0; hop < hops_; ++hop) {
    if (producer < 0) {
      add_fixed_source(tensor, evaluator_.input_tier(tensor), hop);
    } else {
      add_direction(tensor, producer, hop, true);
      add_direction(tensor, producer, hop, false);
    }
  }
}

// A tensor that lies on `tier` from the start: what it costs to carry it over the hop.
void Relaxation::add_fixed_source(int tensor, int tier, int hop) {
  const bool up = line_.position[tier] <= hop;
  const int far_side = up ? 1 : 0;
  const auto& consumers = costs_.graph.tensors()[tensor].consumers;
  const double cost = transfer_cost(tensor, hop, up);
  const int result = evaluator_.output_tier(tensor);
  if (result >= 0 && (line_.position[result] > hop) == up) {
    constant_ += cost;
    return;
  }
  if (consumers.size() == 1) {
    unary_[atom_node(consumers.front(), hop)][far_side] += cost;
  } else if (!consumers.empty()) {
    const int auxiliary = add_auxiliary(tensor, hop, up);
    unary_[auxiliary][far_side] += cost;
    for (int consumer : consumers) {
      arcs_.push_back({auxiliary, atom_node(consumer, hop)});
      (up ? arcs_.back().forward : arcs_.back().backward) = cost;
    }
  }
}

// What `tensor` costs on the hop when its producer is on one side and somebody on the other needs
// it.
void Relaxation::add_direction(int tensor, int producer, int hop, bool up) {
  const double cost = transfer_cost(tensor, hop, up);
  if (cost == 0) return;
  const int from = atom_node(producer, hop);
  const auto& consumers = costs_.graph.tensors()[tensor].consumers;
  const int result = evaluator_.output_tier(tensor);
  if (result >= 0 && (line_.position[result] > hop) == up) {
    unary_[from][up ? 0 : 1] += cost;
    return;
  }
  const auto pay = [&](int arc) { (up ? arcs_[arc].forward : arcs_[arc].backward) += cost; };
  if (consumers.size() == 1) {
    pay(arc_between(from, atom_node(consumers.front(), hop)));
  } else if (!consumers.empty()) {
    const int auxiliary = add_auxiliary(tensor, hop, up);
    arcs_.push_back({from, auxiliary});
    pay(static_cast<int>(arcs_.size()) - 1);
    for (int consumer : consumers) {
      arcs_.push_back({auxiliary, atom_node(consumer, hop)});
      pay(static_cast<int>(arcs_.size()) - 1);
    }
  }
}

void Relaxation::add_control_edges() {
  if (model_ == Model::kOneAuxiliary) return;
  const int edges = static_cast<int>(evaluator_.control().edges().size());
  for (int edge = 0; edge < edges; ++edge) {
    for (int hop = 0; hop < hops_; ++hop) add_control_edge(edge, hop);
  }
}

// What a control edge pays for the hop when its ends are on these sides. Starts of blocks are
// counted on two tiers only.
double Relaxation::edge_cost(int index, int hop, bool from_side, bool to_side) const {
  const ControlGraph& control = evaluator_.control();
  double ms = 0;
  if (hops_ == 1) {
    ms = control.edge_ms(control.edges()[index], from_side, to_side);
  } else if (from_side != to_side) {
    ms = to_side ? line_.up_move_ms[hop] : line_.down_move_ms[hop];
  }
  return std::min(ms, forbidden_cost_);
}

void Relaxation::add_control_edge(int index, int hop) {
  const ControlGraph& control = evaluator_.control();
  const ControlGraph::Edge& edge = control.edges()[index];
  const int from_tier = control.fixed_tier(edge.from);
  const int to_tier = control.fixed_tier(edge.to);
  if (edge.to == control.end() && to_tier < 0) return;  // an end anywhere never changes the tier
  const bool from_side = from_tier >= 0 && line_.position[from_tier] > hop;
  const bool to_side = to_tier >= 0 && line_.position[to_tier] > hop;
  EdgeSlot slot{index};
  if (control.is_atom(edge.from) && control.is_atom(edge.to)) {
    slot.arc = arc_between(atom_node(edge.from, hop), atom_node(edge.to, hop));
    slot.ms = {edge_cost(index, hop, false, true), edge_cost(index, hop, true, false)};
  } else if (control.is_atom(edge.to)) {
    slot.node = atom_node(edge.to, hop);
    slot.ms = {edge_cost(index, hop, from_side, false), edge_cost(index, hop, from_side, true)};
  } else if (control.is_atom(edge.from)) {
    slot.node = atom_node(edge.from, hop);
    slot.ms = {edge_cost(index, hop, false, to_side), edge_cost(index, hop, true, to_side)};
  } else {
    slot.constant = edge_cost(index, hop, from_side, to_side);
  }
  slots_.push_back(slot);
}

}  // namespace adamec::plan
