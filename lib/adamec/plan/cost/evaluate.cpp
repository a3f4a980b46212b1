#include "adamec/plan/cost/evaluate.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/base/units.h"

namespace adamec::plan {
Evaluator::Evaluator(const CostGraph& costs)
    : costs_(costs),
      control_(costs),
      input_tier_(costs.graph.tensors().size(), -1),
      output_tier_(costs.graph.tensors().size(), -1) {
  for (const Endpoint& input : costs.inputs) input_tier_[input.tensor] = input.tier;
  for (const Endpoint& output : costs.outputs) output_tier_[output.tensor] = output.tier;
  for (const Tier& tier : costs.tiers) {
    activation_costs_ = activation_costs_ || tier.cost_per_activation_byte > 0;
  }
}

template <typename OnTensor>
void Evaluator::for_each_sent_tensor(const Placement& placement, OnTensor on_tensor) const {
  const auto& tensors = costs_.graph.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const int home = tensors[i].producer >= 0 ? placement[tensors[i].producer] : input_tier_[i];
    TierSet needed = output_tier_[i] >= 0 ? TierSet{1} << output_tier_[i] : 0;
    for (int consumer : tensors[i].consumers) needed |= TierSet{1} << placement[consumer];
    needed &= ~(TierSet{1} << home);
    if (needed != 0) on_tensor(static_cast<int>(i), home, needed);
  }
}

double Evaluator::control_ms(const Placement& placement) const {
  if (control_.is_alternating()) return control_.handoff_ms(control_.moves(placement));
  return cheapest_schedule(control_, costs_, placement).total_ms();
}

double Evaluator::activation_cost(const Placement& placement) const {
  if (!activation_costs_) return 0;
  std::vector<double> largest(costs_.tiers.size(), 0);
  for (std::size_t i = 0; i < placement.size(); ++i) {
    const double bytes = static_cast<double>(costs_.atoms[i].activation_bytes);
    largest[placement[i]] = std::max(largest[placement[i]], bytes);
  }
  double total = 0;
  for (std::size_t tier = 0; tier < largest.size(); ++tier) {
    total += costs_.tiers[tier].cost_per_activation_byte * largest[tier];
  }
  return total;
}

double Evaluator::cost(const Placement& placement) const {
  assert(placement.size() == costs_.atoms.size());
  double total = control_ms(placement) + activation_cost(placement);
  for (std::size_t i = 0; i < placement.size(); ++i) {
    total += costs_.atoms[i].latency_ms[placement[i]];
  }
  for_each_sent_tensor(placement, [&](int tensor, int home, TierSet needed) {
    total += routes().transfer_ms(home, needed, costs_.graph.tensors()[tensor].bytes);
  });
  return total;
}

PlanSize Evaluator::size(const Placement& placement) const {
  const Schedule schedule = cheapest_schedule(control_, costs_, placement);
  PlanSize size{0, schedule.moves};
  for (const Stop& stop : schedule.stops) {
    size.blocks += std::any_of(stop.nodes.begin(), stop.nodes.end(),
                               [&](int node) { return control_.is_atom(node); });
  }
  return size;
}

std::vector<std::uint64_t> Evaluator::memory_bytes(const Placement& placement) const {
  std::vector<std::uint64_t> weights(costs_.tiers.size(), 0);
  std::vector<std::uint64_t> activation(costs_.tiers.size(), 0);
  for (std::size_t i = 0; i < placement.size(); ++i) {
    const std::size_t tier = placement[i];
    weights[tier] += costs_.atoms[i].weight_bytes;
    activation[tier] = std::max(activation[tier], costs_.atoms[i].activation_bytes);
  }
  for (std::size_t tier = 0; tier < weights.size(); ++tier) weights[tier] += activation[tier];
  return weights;
}

std::uint64_t Evaluator::excess_bytes(int tier, std::uint64_t used) const {
  const std::uint64_t limit = costs_.tiers[tier].memory_bytes;
  return limit == 0 || used <= limit ? 0 : used - limit;
}

bool Evaluator::fits(const Placement& placement) const {
  const auto used = memory_bytes(placement);
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    if (excess_bytes(tier, used[tier]) > 0) return false;
  }
  return true;
}

bool Evaluator::allowed(const Placement& placement) const {
  for (std::size_t i = 0; i < placement.size(); ++i) {
    if (!costs_.atoms[i].allowed[placement[i]]) return false;
  }
  return divided(placement) < 0;
}

// An atom that is apart from those it must be together with; -1: none.
int Evaluator::divided(const Placement& placement) const {
  for (const int atom : costs_.shared_state) {
    if (placement[atom] != placement[costs_.shared_state.front()]) return atom;
  }
  return -1;
}

std::string Evaluator::obstacle(const Placement& placement, const Evaluation& evaluation) const {
  for (std::size_t i = 0; i < placement.size(); ++i) {
    if (!costs_.atoms[i].allowed[placement[i]]) {
      return fmt::format("atom '{}' may not run on '{}'", printable(costs_.graph.atoms()[i].id),
                         printable(costs_.tiers[placement[i]].name));
    }
  }
  if (const int atom = divided(placement); atom >= 0) {
    const auto& atoms = costs_.graph.atoms();
    return fmt::format("atoms '{}' and '{}' share state, but are on different tiers",
                       printable(atoms[costs_.shared_state.front()].id), printable(atoms[atom].id));
  }
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    const std::uint64_t used = evaluation.memory_bytes[tier];
    if (const std::uint64_t excess = excess_bytes(tier, used)) {
      return fmt::format("'{}' needs {} of memory, {} more than it has",
                         printable(costs_.tiers[tier].name), format_bytes(used),
                         format_bytes(excess));
    }
  }
  if (!std::isinf(evaluation.latency_ms)) return "";
  return missing_link(placement, evaluation);
}

// Names a link that is missing: for a tensor, or else for control.
std::string Evaluator::missing_link(const Placement& placement,
                                    const Evaluation& evaluation) const {
  int from = -1;
  int to = -1;
  for_each_sent_tensor(placement, [&](int, int home, TierSet needed) {
    for (int tier = 0; tier < costs_.tier_count() && from < 0; ++tier) {
      if (!(needed >> tier & 1) || routes().reachable(home, tier)) continue;
      from = home;
      to = tier;
    }
  });
  int at = control_.start_tier();
  const auto visit = [&](int tier) {
    if (from < 0 && tier >= 0 && std::isinf(control_.move_ms(at, tier))) {
      from = at;
      to = tier;
    }
    at = tier;
  };
  for (const Block& block : evaluation.blocks) visit(block.tier);
  visit(control_.end_tier());
  if (from < 0) return "control cannot reach a tier without a link";
  const char* what = costs_.tier_count() > 2 ? "no link or path of links" : "no link";
  return fmt::format("there is {} from '{}' to '{}'", what, printable(costs_.tiers[from].name),
                     printable(costs_.tiers[to].name));
}

Evaluation Evaluator::evaluate(const Placement& placement) const {
  assert(placement.size() == costs_.atoms.size());
  Evaluation result;
  result.compute_ms.assign(costs_.tiers.size(), 0);
  for (std::size_t i = 0; i < placement.size(); ++i) {
    result.compute_ms[placement[i]] += costs_.atoms[i].latency_ms[placement[i]];
  }
  for_each_sent_tensor(placement, [&](int tensor, int home, TierSet needed) {
    const std::uint64_t bytes = costs_.graph.tensors()[tensor].bytes;
    routes().for_each_hop(home, needed, [&](const TierRoutes::Hop& hop) {
      const double ms = costs_.link(hop.from, hop.to)->transfer_ms(bytes);
      result.transfers.push_back({tensor, hop.from, hop.to, bytes, ms});
    });
    result.transfer_ms += routes().transfer_ms(home, needed, bytes);
  });

  Schedule schedule = cheapest_schedule(control_, costs_, placement);
  result.moves = schedule.moves;
  result.handoff_ms = schedule.handoff_ms;
  for (Stop& stop : schedule.stops) {
    auto& nodes = stop.nodes;
    nodes.erase(std::remove_if(nodes.begin(), nodes.end(),
                               [&](int node) { return !control_.is_atom(node); }),
                nodes.end());
    if (nodes.empty()) continue;
    result.compute_ms[stop.tier] += costs_.tiers[stop.tier].block_overhead_ms;
    result.blocks.push_back({stop.tier, std::move(nodes)});
  }

  result.latency_ms = result.transfer_ms + result.handoff_ms + activation_cost(placement);
  for (double compute : result.compute_ms) result.latency_ms += compute;
  result.memory_bytes = memory_bytes(placement);
  result.infeasible = obstacle(placement, result);
  return result;
}

}  // namespace adamec::plan
