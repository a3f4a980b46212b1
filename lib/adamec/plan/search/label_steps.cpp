// What a label search is made of, before it runs: steps, what each pays of the rest, and the slots
// that hold what later steps look at.
#include <algorithm>
#include <bit>
#include <numeric>

#include "adamec/plan/search/label_search.h"

namespace adamec::plan {

LabelSearch::LabelSearch(const Evaluator& evaluator, const Relaxation& relaxation,
                         const std::vector<TierSet>& choices, const Bounds::Reduced& reduced,
                         const Prices& prices)
    : evaluator_(evaluator),
      costs_(evaluator.costs()),
      control_(evaluator.control()),
      relaxation_(relaxation),
      choices_(choices),
      tiers_(costs_.tier_count()),
      phases_(evaluator.routes().moves_cost() && control_.is_alternating()),
      price_(costs_.tiers.size(), 0),
      base_cost_(reduced.rest.cost),
      unit_cost_(reduced.rest.unit_cost) {
  for (int tier = 0; tier < tiers_; ++tier) {
    price_[tier] = prices.of_tier(tier);
    if (price_[tier] > 0) {
      base_cost_ -= price_[tier] * static_cast<double>(costs_.tiers[tier].memory_bytes);
    }
  }
  // What has no choice will be there in the end.
  for (std::size_t i = 0; i < costs_.atoms.size(); ++i) {
    if (!std::has_single_bit(choices[i])) continue;
    double& largest = first_.activation[std::countr_zero(choices[i])];
    largest = std::max(largest, static_cast<double>(costs_.atoms[i].activation_bytes));
  }
  make_steps();
  add_rest(reduced);
  assign_slots();
}

// A tensor with several takers: where it goes is decided when it is made.
bool LabelSearch::is_committed(int tensor) const {
  const std::size_t takers = costs_.graph.tensors()[tensor].consumers.size();
  return takers > 1 || (takers == 1 && evaluator_.output_tier(tensor) >= 0);
}

void LabelSearch::make_steps() {
  step_of_atom_.assign(costs_.atoms.size(), -1);
  step_of_tensor_.assign(costs_.graph.tensors().size(), -1);
  const auto commit = [&](int tensor) {
    if (!is_committed(tensor)) return;
    step_of_tensor_[tensor] = static_cast<int>(steps_.size());
    steps_.push_back({true, tensor, {}, {}, -1, -1, {}});
  };
  for (const Endpoint& input : costs_.inputs) commit(input.tensor);
  for (int atom : costs_.graph.topological_order()) {
    step_of_atom_[atom] = static_cast<int>(steps_.size());
    steps_.push_back({false, atom, {}, {}, -1, -1, {}});
    for (int tensor : costs_.graph.atoms()[atom].outputs) commit(tensor);
  }
  later_.assign(steps_.size() + 1, {0, 0});
  for (std::size_t i = steps_.size(); i-- > 0;) {
    later_[i] = later_[i + 1];
    if (steps_[i].commits) continue;
    const AtomCost& atom = costs_.atoms[steps_[i].item];
    later_[i].weights += static_cast<double>(atom.weight_bytes);
    later_[i].activation =
        std::max(later_[i].activation, static_cast<double>(atom.activation_bytes));
  }
}

LabelSearch::CutNode LabelSearch::node(int number) const {
  const int hops = relaxation_.line().hops();
  const int atom_nodes = hops * costs_.atom_count();
  if (number < atom_nodes) return {number / hops, number % hops, false, false};
  const Relaxation::Auxiliary& auxiliary =
      relaxation_.auxiliaries()[static_cast<std::size_t>(number - atom_nodes)];
  return {auxiliary.tensor, auxiliary.hop, true, auxiliary.up};
}

void LabelSearch::add_rest(const Bounds::Reduced& reduced) {
  // Tensors that are not committed have no auxiliary nodes, nor have results that are.
  const auto has_step = [&](const CutNode& of) { return step_of(of) >= 0; };
  for (std::size_t i = 0; i < reduced.rest.nodes.size(); ++i) {
    const CutNode own = node(static_cast<int>(i));
    if (!has_step(own) || (reduced.rest.nodes[i][0] == 0 && reduced.rest.nodes[i][1] == 0)) {
      continue;
    }
    steps_[step_of(own)].unary.push_back({own, reduced.rest.nodes[i]});
  }
  for (const Relaxation::Rest::RestArc& arc : reduced.rest.arcs) {
    const CutNode from = node(arc.from);
    const CutNode to = node(arc.to);
    if (!has_step(from) || !has_step(to)) continue;
    if (step_of(from) <= step_of(to)) {
      steps_[step_of(to)].cuts.push_back({from, to, arc.forward, arc.backward});
    } else {
      steps_[step_of(from)].cuts.push_back({to, from, arc.backward, arc.forward});
    }
  }
}

// Slots hold what later steps look at, and are given back after the last of them.
void LabelSearch::assign_slots() {
  const std::size_t tensors = costs_.graph.tensors().size();
  std::vector<int> atom_use(costs_.atoms.size(), -1);
  std::vector<int> tensor_use(tensors, -1);
  const auto use = [](int& last, std::size_t step) {
    last = std::max(last, static_cast<int>(step));
  };
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    for (const Cut& cut : step.cuts) {
      use(cut.earlier.tensor ? tensor_use[cut.earlier.item] : atom_use[cut.earlier.item], i);
    }
    if (step.commits) {
      const int producer = costs_.graph.tensors()[step.item].producer;
      if (producer >= 0) use(atom_use[producer], i);
      continue;
    }
    for (int tensor : costs_.graph.atoms()[step.item].inputs) {
      const int producer = costs_.graph.tensors()[tensor].producer;
      if (step_of_tensor_[tensor] >= 0) {
        use(tensor_use[tensor], i);
      } else if (producer >= 0) {
        use(atom_use[producer], i);
      }
    }
    if (phases_) {
      for (int before : costs_.graph.predecessors(step.item)) use(atom_use[before], i);
    }
  }
  slot_of_atom_.assign(costs_.atoms.size(), -1);
  phase_slot_of_atom_.assign(costs_.atoms.size(), -1);
  slot_of_tensor_.assign(tensors, -1);
  std::vector<int> free(kSlots - 2);
  std::iota(free.rbegin(), free.rend(), 2);
  std::vector<std::vector<int>> released(steps_.size());
  const auto take = [&](int last_use) {
    if (free.empty()) {
      too_wide_ = true;
      return -1;
    }
    const int slot = free.back();
    free.pop_back();
    released[last_use].push_back(slot);
    return slot;
  };
  for (std::size_t i = 0; i < steps_.size() && !too_wide_; ++i) {
    Step& step = steps_[i];
    const int last = step.commits ? tensor_use[step.item] : atom_use[step.item];
    if (last > static_cast<int>(i)) {
      step.slot = take(last);
      (step.commits ? slot_of_tensor_ : slot_of_atom_)[step.item] = step.slot;
      if (phases_ && !step.commits) {
        step.phase_slot = phase_slot_of_atom_[step.item] = take(last);
      }
    }
    step.released = released[i];
    free.insert(free.end(), released[i].begin(), released[i].end());
  }
}

}  // namespace adamec::plan
