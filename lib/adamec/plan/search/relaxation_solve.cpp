// One minimum cut of a relaxation: prices, integer capacities, pins.
#include <algorithm>
#include <cassert>
#include <cmath>

#include "adamec/plan/search/relaxation.h"

namespace adamec::plan {
namespace {

constexpr double kMaxUnits = 0x1p60;

}  // namespace

void Relaxation::price(const Prices& prices) {
  priced_constant_ = constant_;
  priced_unary_ = unary_;
  priced_arcs_ = arcs_;
  for (int hop = 0; hop < hops_; ++hop) {
    // As with the latencies: the first node carries both sides, the others the difference.
    const double near = hop == 0 ? prices.of_tier(line_.tiers[0]) : 0;
    const double below = hop == 0 ? 0 : prices.of_tier(line_.tiers[hop]);
    const double far = prices.of_tier(line_.tiers[hop + 1]) - below;
    if (near == 0 && far == 0) continue;
    for (int atom = 0; atom < atom_count_; ++atom) {
      const double bytes = static_cast<double>(costs_.atoms[atom].weight_bytes);
      priced_unary_[atom_node(atom, hop)][0] += near * bytes;
      priced_unary_[atom_node(atom, hop)][1] += far * bytes;
    }
  }
  if (prices.path_share.empty()) return;
  for (const EdgeSlot& slot : slots_) {
    const double share = prices.path_share[slot.edge];
    if (share <= 0) continue;
    if (slot.arc >= 0) {
      priced_arcs_[slot.arc].forward += share * slot.ms[0];
      priced_arcs_[slot.arc].backward += share * slot.ms[1];
    } else if (slot.node >= 0) {
      priced_unary_[slot.node][0] += share * slot.ms[0];
      priced_unary_[slot.node][1] += share * slot.ms[1];
    } else {
      priced_constant_ += share * slot.constant;
    }
  }
}

// The arcs that keep an atom's nodes in order: more than all else at those nodes.
void Relaxation::set_order_arcs() {
  if (order_arcs_ == 0) return;
  std::vector<graph::FlowNetwork::Capacity> at_atom(static_cast<std::size_t>(atom_count_), 1);
  const auto add = [&](int node, graph::FlowNetwork::Capacity capacity) {
    if (node < atom_count_ * hops_) at_atom[node / hops_] += capacity;
  };
  for (std::size_t i = order_arcs_; i < arcs_.size(); ++i) {
    add(arcs_[i].from, capacities_.forward[i] + capacities_.backward[i]);
    add(arcs_[i].to, capacities_.forward[i] + capacities_.backward[i]);
  }
  for (int node = 0; node < atom_count_ * hops_; ++node) {
    add(node, std::abs(capacities_.terminal[node]));
  }
  for (std::size_t i = 0; i < order_arcs_; ++i) {
    capacities_.forward[i] = at_atom[arcs_[i].from / hops_];
  }
}

// Rounds down to integers. Pinned atoms keep no unary costs: those are constants.
void Relaxation::set_capacities(const std::vector<int>& pins, double scale) {
  const auto units = [&](double ms) {
    return static_cast<graph::FlowNetwork::Capacity>(ms * scale);
  };
  capacities_.forward.resize(priced_arcs_.size());
  capacities_.backward.resize(priced_arcs_.size());
  capacities_.terminal.assign(priced_unary_.size(), 0);
  for (std::size_t i = 0; i < priced_arcs_.size(); ++i) {
    capacities_.forward[i] = units(priced_arcs_[i].forward);
    capacities_.backward[i] = units(priced_arcs_[i].backward);
  }
  const auto side = [&](int node) {  // of a pinned atom's node; -1: free
    if (node >= atom_count_ * hops_) return -1;
    const int pin = pins[node / hops_];
    return pin < 0 ? -1 : line_.position[pin] > node % hops_ ? 1 : 0;
  };
  for (std::size_t node = 0; node < priced_unary_.size(); ++node) {
    const int pinned = side(static_cast<int>(node));
    if (pinned >= 0) {
      priced_constant_ += priced_unary_[node][pinned];
      continue;
    }
    const double difference = priced_unary_[node][1] - priced_unary_[node][0];
    priced_constant_ += std::min(priced_unary_[node][0], priced_unary_[node][1]);
    capacities_.terminal[node] = units(difference);  // rounds towards zero on both sides
  }
  set_order_arcs();
  const auto pin = [&](int node, bool leaves, std::size_t arc) {
    const int pinned = side(node);
    if (pinned < 0) return;
    const auto& to_sink = leaves ? capacities_.forward : capacities_.backward;
    const auto& to_source = leaves ? capacities_.backward : capacities_.forward;
    capacities_.terminal[node] += pinned == 0 ? to_sink[arc] : -to_source[arc];
  };
  for (std::size_t i = 0; i < priced_arcs_.size(); ++i) {
    pin(priced_arcs_[i].from, true, i);
    pin(priced_arcs_[i].to, false, i);
  }
}

Relaxation::Solution Relaxation::solve(const std::vector<int>& pins, const Prices& prices) {
  assert(pins.size() == costs_.atoms.size());
  price(prices);
  double total = 1e-9 + total_cost_;
  for (double price : prices.per_byte) total += 2 * price * weight_bytes_;
  if (!prices.path_share.empty()) total += all_moves_cost_;
  const double scale = std::exp2(std::floor(std::log2(kMaxUnits / (2 * total))));
  set_capacities(pins, scale);

  std::vector<char> sink_side;
  const graph::FlowNetwork::Capacity cut = network_.front().min_cut(capacities_, sink_side);
  unit_cost_ = 1 / scale;
  cost_ = priced_constant_ + static_cast<double>(cut) / scale;
  Solution solution;
  solution.cost = cost_;
  solution.placement.resize(static_cast<std::size_t>(atom_count_));
  for (int atom = 0; atom < atom_count_; ++atom) {
    int position = 0;
    while (position < hops_ && sink_side[atom_node(atom, position)]) ++position;
    solution.placement[atom] = pins[atom] >= 0 ? pins[atom] : line_.tiers[position];
  }
  return solution;
}

Relaxation::Rest Relaxation::rest() const {
  const graph::FlowNetwork& network = network_.front();
  Rest rest{cost_, unit_cost_, {}, {}};
  for (int node = 0; node < node_count(); ++node) {
    rest.nodes.push_back({network.rest_to_sink(node), network.excess(node)});
  }
  for (std::size_t arc = 0; arc < arcs_.size(); ++arc) {
    const auto forward = network.rest_forward(arc);
    const auto backward = network.rest_backward(arc);
    if (forward > 0 || backward > 0) {
      rest.arcs.push_back({arcs_[arc].from, arcs_[arc].to, forward, backward});
    }
  }
  return rest;
}

}  // namespace adamec::plan
