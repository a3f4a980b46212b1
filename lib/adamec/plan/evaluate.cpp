#include "adamec/plan/evaluate.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/base/units.h"

namespace adamec::plan {
namespace {

const CostGraph& check_tiers(const CostGraph& costs) {
  if (costs.tier_count() > 2) {
    fail("{}: {} tiers: plans for more than two tiers are not supported", costs.source,
         costs.tier_count());
  }
  return costs;
}

}  // namespace

Evaluator::Evaluator(const CostGraph& costs)
    : costs_(check_tiers(costs)),
      control_(costs),
      input_tier_(costs.graph.tensors().size(), -1),
      output_tier_(costs.graph.tensors().size(), -1) {
  for (const Endpoint& input : costs.inputs) input_tier_[input.tensor] = input.tier;
  for (const Endpoint& output : costs.outputs) output_tier_[output.tensor] = output.tier;
}

// Calls on_transfer(tensor, from, to) for every tensor that another tier needs. With two tiers
// there is at most one such tier per tensor.
template <typename OnTransfer>
void Evaluator::for_each_transfer(const Placement& placement, OnTransfer on_transfer) const {
  const auto& tensors = costs_.graph.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const int from = tensors[i].producer >= 0 ? placement[tensors[i].producer] : input_tier_[i];
    bool needed = output_tier_[i] >= 0 && output_tier_[i] != from;
    for (int consumer : tensors[i].consumers) needed = needed || placement[consumer] != from;
    if (needed) on_transfer(static_cast<int>(i), from, 1 - from);
  }
}

double Evaluator::latency_ms(const Placement& placement) const {
  double total = control_.handoff_ms(control_.moves(placement));
  for (std::size_t i = 0; i < placement.size(); ++i) {
    total += costs_.atoms[i].latency_ms[placement[i]];
  }
  for_each_transfer(placement, [&](int tensor, int from, int to) {
    const auto& link = costs_.link(from, to);
    total += link ? link->transfer_ms(costs_.graph.tensors()[tensor].bytes) : INFINITY;
  });
  return total;
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
  return true;
}

std::string Evaluator::obstacle(const Placement& placement, const Evaluation& evaluation) const {
  for (std::size_t i = 0; i < placement.size(); ++i) {
    if (!costs_.atoms[i].allowed[placement[i]]) {
      return fmt::format("atom '{}' may not run on '{}'", printable(costs_.graph.atoms()[i].id),
                         printable(costs_.tiers[placement[i]].name));
    }
  }
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    const std::uint64_t used = evaluation.memory_bytes[tier];
    if (const std::uint64_t excess = excess_bytes(tier, used)) {
      return fmt::format("'{}' needs {} of memory, {} more than it has",
                         printable(costs_.tiers[tier].name), format_bytes(used),
                         format_bytes(excess));
    }
  }
  if (std::isinf(evaluation.latency_ms)) {
    const bool forward = !costs_.link(0, 1);
    return fmt::format("there is no link from '{}' to '{}'",
                       printable(costs_.tiers[forward ? 0 : 1].name),
                       printable(costs_.tiers[forward ? 1 : 0].name));
  }
  return "";
}

Evaluation Evaluator::evaluate(const Placement& placement) const {
  Evaluation result;
  result.compute_ms.assign(costs_.tiers.size(), 0);
  for (std::size_t i = 0; i < placement.size(); ++i) {
    result.compute_ms[placement[i]] += costs_.atoms[i].latency_ms[placement[i]];
  }
  for_each_transfer(placement, [&](int tensor, int from, int to) {
    const auto& link = costs_.link(from, to);
    const std::uint64_t bytes = costs_.graph.tensors()[tensor].bytes;
    result.transfers.push_back(
        {tensor, from, to, bytes, link ? link->transfer_ms(bytes) : INFINITY});
    result.transfer_ms += result.transfers.back().ms;
  });

  std::vector<int> phases;
  control_.phases(placement, phases);
  result.moves = phases[control_.end()];
  result.handoff_ms = control_.handoff_ms(result.moves);
  std::vector<std::vector<int>> by_phase(static_cast<std::size_t>(result.moves) + 1);
  for (int atom : costs_.graph.topological_order()) by_phase[phases[atom]].push_back(atom);
  for (auto& atoms : by_phase) {
    if (!atoms.empty()) result.blocks.push_back({placement[atoms.front()], std::move(atoms)});
  }

  result.latency_ms = result.transfer_ms + result.handoff_ms;
  for (double compute : result.compute_ms) result.latency_ms += compute;
  result.memory_bytes = memory_bytes(placement);
  result.infeasible = obstacle(placement, result);
  return result;
}

}  // namespace adamec::plan
