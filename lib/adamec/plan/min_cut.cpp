#include "adamec/plan/min_cut.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"

namespace adamec::plan {
namespace {

constexpr double kMaxUnits = 0x1p60;

}  // namespace

Relaxation::Relaxation(const Evaluator& evaluator, Model model)
    : evaluator_(evaluator),
      costs_(evaluator.costs()),
      model_(model),
      atom_count_(costs_.atom_count()) {
  unary_.resize(costs_.atoms.size());
  double finite = 1;
  for (std::size_t i = 0; i < costs_.atoms.size(); ++i) {
    unary_[i] = {costs_.atoms[i].latency_ms[0], costs_.atoms[i].latency_ms[1]};
    finite += unary_[i][0] + unary_[i][1];
    weight_bytes_ += static_cast<double>(costs_.atoms[i].weight_bytes);
  }
  const double edges = static_cast<double>(evaluator.control().edges().size());
  for (const auto& link : costs_.links) {
    if (!link) continue;
    finite += edges * link->latency_ms;
    for (const graph::Tensor& tensor : costs_.graph.tensors()) {
      finite += link->transfer_ms(tensor.bytes);
    }
  }
  forbidden_ms_ = 2 * finite;
  const int tensors = static_cast<int>(costs_.graph.tensors().size());
  for (int tensor = 0; tensor < tensors; ++tensor) add_tensor(tensor);
  add_control_edges();

  std::vector<FlowNetwork::Arc> shape;
  for (const Arc& arc : arcs_) {
    shape.push_back({arc.from, arc.to});
    total_ms_ += arc.forward + arc.backward;
  }
  for (const auto& cost : unary_) total_ms_ += cost[0] + cost[1];
  network_.emplace_back(static_cast<int>(unary_.size()), shape);
  arc_of_.clear();
}

double Relaxation::transfer_ms(int tensor, int from, int to) const {
  if (model_ == Model::kOneAuxiliary && to == evaluator_.control().start_tier()) return 0;
  const auto& link = costs_.link(from, to);
  return link ? link->transfer_ms(costs_.graph.tensors()[tensor].bytes) : forbidden_ms_;
}

int Relaxation::add_node() {
  unary_.push_back({0, 0});
  return static_cast<int>(unary_.size()) - 1;
}

// The arc between two atoms, made when there is none.
int Relaxation::arc_between(int from, int to) {
  const std::uint64_t key = static_cast<std::uint64_t>(from) << 32 | static_cast<unsigned>(to);
  const auto [at, inserted] = arc_of_.emplace(key, static_cast<int>(arcs_.size()));
  if (inserted) arcs_.push_back({from, to});
  return at->second;
}

void Relaxation::add_tensor(int tensor) {
  const int producer = costs_.graph.tensors()[tensor].producer;
  if (producer < 0) {
    return add_fixed_source(tensor, evaluator_.input_tier(tensor));
  }
  add_direction(tensor, producer, 0);
  add_direction(tensor, producer, 1);
}

// A tensor that lies on `tier` from the start.
void Relaxation::add_fixed_source(int tensor, int tier) {
  const int other = 1 - tier;
  const auto& consumers = costs_.graph.tensors()[tensor].consumers;
  const double cost = transfer_ms(tensor, tier, other);
  if (evaluator_.output_tier(tensor) == other) {
    constant_ += cost;
    return;
  }
  if (consumers.size() == 1) {
    unary_[consumers.front()][other] += cost;
  } else if (!consumers.empty()) {
    const int auxiliary = add_node();
    unary_[auxiliary][other] += cost;
    for (int consumer : consumers) {
      arcs_.push_back({auxiliary, consumer});
      (tier == 0 ? arcs_.back().forward : arcs_.back().backward) = cost;
    }
  }
}

// What `tensor` costs when its producer is on `from` and somebody on the other tier needs it.
void Relaxation::add_direction(int tensor, int producer, int from) {
  const int to = 1 - from;
  const double cost = transfer_ms(tensor, from, to);
  if (cost == 0) return;
  const auto& consumers = costs_.graph.tensors()[tensor].consumers;
  if (evaluator_.output_tier(tensor) == to) {
    unary_[producer][from] += cost;
    return;
  }
  const auto pay = [&](int arc) { (from == 0 ? arcs_[arc].forward : arcs_[arc].backward) += cost; };
  if (consumers.size() == 1) {
    pay(arc_between(producer, consumers.front()));
  } else if (!consumers.empty()) {
    const int auxiliary = add_node();
    arcs_.push_back({producer, auxiliary});
    pay(static_cast<int>(arcs_.size()) - 1);
    for (int consumer : consumers) {
      arcs_.push_back({auxiliary, consumer});
      pay(static_cast<int>(arcs_.size()) - 1);
    }
  }
}

void Relaxation::add_control_edges() {
  const ControlGraph& control = evaluator_.control();
  if (costs_.tier_count() < 2 || model_ == Model::kOneAuxiliary) return;
  for (const ControlGraph::Edge& edge : control.edges()) {
    EdgeSlot slot;
    const int from_tier = control.fixed_tier(edge.from);
    const int to_tier = control.fixed_tier(edge.to);
    const bool to_anywhere = edge.to == control.end() && to_tier < 0;
    if (to_anywhere) {
      // An end anywhere never changes the tier.
    } else if (edge.from < atom_count_ && edge.to < atom_count_) {
      slot.arc = arc_between(edge.from, edge.to);
    } else if (edge.to < atom_count_) {
      slot = {-1, edge.to, 1 - from_tier, control.move_ms(from_tier, 1 - from_tier), 0};
    } else if (edge.from < atom_count_) {
      slot = {-1, edge.from, 1 - to_tier, control.move_ms(1 - to_tier, to_tier), 0};
    } else if (from_tier != to_tier) {
      slot.constant = control.move_ms(from_tier, to_tier);
    }
    slots_.push_back(slot);
  }
}

void Relaxation::price(const Prices& prices) {
  priced_constant_ = constant_;
  priced_unary_ = unary_;
  priced_arcs_ = arcs_;
  if (prices.per_byte[0] > 0 || prices.per_byte[1] > 0) {
    for (int atom = 0; atom < atom_count_; ++atom) {
      const double bytes = static_cast<double>(costs_.atoms[atom].weight_bytes);
      for (int tier = 0; tier < 2; ++tier) {
        priced_unary_[atom][tier] += prices.per_byte[tier] * bytes;
      }
    }
  }
  if (prices.path_share.empty()) return;
  const double forward = std::min(evaluator_.control().move_ms(0, 1), forbidden_ms_);
  const double backward = std::min(evaluator_.control().move_ms(1, 0), forbidden_ms_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const double share = prices.path_share[i];
    if (share <= 0) continue;
    const EdgeSlot& slot = slots_[i];
    if (slot.arc >= 0) {
      priced_arcs_[slot.arc].forward += share * forward;
      priced_arcs_[slot.arc].backward += share * backward;
    } else if (slot.atom >= 0) {
      priced_unary_[slot.atom][slot.tier] += share * std::min(slot.move_ms, forbidden_ms_);
    } else {
      priced_constant_ += share * std::min(slot.constant, forbidden_ms_);
    }
  }
}

// Rounds down to integers. Pinned atoms keep no unary costs: those are constants.
void Relaxation::set_capacities(const std::vector<int>& pins, double scale) {
  const auto units = [&](double ms) { return static_cast<FlowNetwork::Capacity>(ms * scale); };
  capacities_.forward.resize(priced_arcs_.size());
  capacities_.backward.resize(priced_arcs_.size());
  capacities_.terminal.assign(priced_unary_.size(), 0);
  for (std::size_t i = 0; i < priced_arcs_.size(); ++i) {
    capacities_.forward[i] = units(priced_arcs_[i].forward);
    capacities_.backward[i] = units(priced_arcs_[i].backward);
  }
  for (std::size_t node = 0; node < priced_unary_.size(); ++node) {
    const bool atom = node < pins.size();
    if (atom && pins[node] >= 0) {
      priced_constant_ += priced_unary_[node][pins[node]];
      continue;
    }
    const double difference = priced_unary_[node][1] - priced_unary_[node][0];
    priced_constant_ += std::min(priced_unary_[node][0], priced_unary_[node][1]);
    capacities_.terminal[node] = units(difference);  // rounds towards zero on both sides
  }
  const auto pin = [&](int node, int to_1, int to_0, std::size_t arc) {
    if (node >= atom_count_ || pins[node] < 0) return;
    const auto& leaving = to_1 ? capacities_.forward : capacities_.backward;
    const auto& arriving = to_0 ? capacities_.forward : capacities_.backward;
    capacities_.terminal[node] += pins[node] == 0 ? leaving[arc] : -arriving[arc];
  };
  for (std::size_t i = 0; i < priced_arcs_.size(); ++i) {
    pin(priced_arcs_[i].from, 1, 0, i);
    pin(priced_arcs_[i].to, 0, 1, i);
  }
}

Relaxation::Solution Relaxation::solve(const std::vector<int>& pins, const Prices& prices) {
  price(prices);
  const ControlGraph& control = evaluator_.control();
  double total = 1e-9 + total_ms_ + (prices.per_byte[0] + prices.per_byte[1]) * weight_bytes_;
  if (!prices.path_share.empty()) {
    const double moves = std::min(control.move_ms(0, 1), forbidden_ms_) +
                         std::min(control.move_ms(1, 0), forbidden_ms_);
    total += 2 * moves * static_cast<double>(slots_.size());
  }
  const double scale = std::exp2(std::floor(std::log2(kMaxUnits / (2 * total))));
  set_capacities(pins, scale);

  std::vector<char> sink_side;
  const FlowNetwork::Capacity cut = network_.front().min_cut(capacities_, sink_side);
  Solution solution;
  solution.value_ms = priced_constant_ + static_cast<double>(cut) / scale;
  solution.placement.resize(static_cast<std::size_t>(atom_count_));
  for (int atom = 0; atom < atom_count_; ++atom) {
    solution.placement[atom] = pins[atom] >= 0 ? pins[atom] : sink_side[atom];
  }
  return solution;
}

std::vector<int> initial_pins(const Evaluator& evaluator) {
  const CostGraph& costs = evaluator.costs();
  const ControlGraph& control = evaluator.control();
  const int start = control.start_tier();
  const int other = 1 - start;
  const bool reachable = costs.tier_count() == 2 && costs.link(start, other) &&
                         (control.end_tier() != start || costs.link(other, start));
  std::vector<int> pins(costs.atoms.size(), -1);
  for (std::size_t i = 0; i < pins.size(); ++i) {
    const bool on_start = costs.atoms[i].allowed[start];
    const bool on_other = costs.tier_count() == 2 && costs.atoms[i].allowed[other];
    if (!on_start && !on_other) {
      fail_with(ErrorKind::kInfeasible, "{}: atom '{}' may not run on any tier", costs.source,
                printable(costs.graph.atoms()[i].id));
    }
    if (!on_start && !reachable) {
      const bool there = costs.link(start, other).has_value();
      fail_with(ErrorKind::kInfeasible,
                "{}: atom '{}' may only run on '{}', but no link leads from '{}' to '{}'",
                costs.source, printable(costs.graph.atoms()[i].id),
                printable(costs.tiers[other].name),
                printable(costs.tiers[there ? other : start].name),
                printable(costs.tiers[there ? start : other].name));
    }
    if (!on_other || !reachable) pins[i] = start;
    if (!on_start) pins[i] = other;
  }
  return pins;
}

}  // namespace adamec::plan
