#include "adamec/plan/search/label_search.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace adamec::plan {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr int kEndPhase = 0;    // slots that are always there
constexpr int kOtherPhase = 1;  // of the results on the other tier
constexpr std::size_t kMaxCompared = 64;
constexpr std::int64_t kWorkPerLabel = 16;       // in nodes and arcs of a cut, by time
constexpr std::size_t kMaxHistory = 12'000'000;  // labels in all steps: 100 MB

}  // namespace

bool LabelSearch::is_available(const Evaluator& evaluator, bool moves_cost) {
  const int tiers = evaluator.costs().tier_count();
  return tiers <= kMaxTiers && (!moves_cost || evaluator.control().is_alternating());
}

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
      base_ms_(reduced.rest.value_ms),
      unit_ms_(reduced.rest.unit_ms) {
  for (int tier = 0; tier < tiers_; ++tier) {
    price_[tier] = prices.of_tier(tier);
    if (price_[tier] > 0) {
      base_ms_ -= price_[tier] * static_cast<double>(costs_.tiers[tier].memory_bytes);
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

LabelSearch::Node LabelSearch::node(int number) const {
  const int hops = relaxation_.line().hops();
  const int atom_nodes = hops * costs_.atom_count();
  if (number < atom_nodes) return {number / hops, number % hops, false, false};
  const Relaxation::Auxiliary& auxiliary =
      relaxation_.auxiliaries()[static_cast<std::size_t>(number - atom_nodes)];
  return {auxiliary.tensor, auxiliary.hop, true, auxiliary.up};
}

void LabelSearch::add_rest(const Bounds::Reduced& reduced) {
  // Tensors that are not committed have no auxiliary nodes, nor have results that are.
  const auto has_step = [&](const Node& of) { return step_of(of) >= 0; };
  for (std::size_t i = 0; i < reduced.rest.nodes.size(); ++i) {
    const Node own = node(static_cast<int>(i));
    if (!has_step(own) || (reduced.rest.nodes[i][0] == 0 && reduced.rest.nodes[i][1] == 0)) {
      continue;
    }
    steps_[step_of(own)].unary.push_back({own, reduced.rest.nodes[i]});
  }
  for (const Relaxation::Rest::Arc& arc : reduced.rest.arcs) {
    const Node from = node(arc.from);
    const Node to = node(arc.to);
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

// Whether the node is on the sink's side: beyond its hop. `value` is what this step decides, the
// tier of an atom or the set of tiers where a tensor lies; earlier ones are in their slots.
bool LabelSearch::side(const Node& of, int value, const Slots& slots, bool own) const {
  if (!own) value = slots[of.tensor ? slot_of_tensor_[of.item] : slot_of_atom_[of.item]];
  const TierLine& line = relaxation_.line();
  if (!of.tensor) return line.position[value] > of.hop;
  int extreme = of.up ? -1 : kMaxTiers;
  for (int tier = 0; tier < tiers_; ++tier) {
    if (!(value >> tier & 1)) continue;
    extreme =
        of.up ? std::max(extreme, line.position[tier]) : std::min(extreme, line.position[tier]);
  }
  return extreme > of.hop;
}

// Completes a label whose costs are known and keeps it unless it is not wanted.
void LabelSearch::add(const Step& step, int value, Label& next) {
  for (const Unary& unary : step.unary) {
    next.rest += unary.rest[side(unary.own, value, next.slots, true) ? 1 : 0];
  }
  for (const Cut& cut : step.cuts) {
    const bool same_step = cut.earlier.tensor == step.commits && cut.earlier.item == step.item;
    const bool earlier = side(cut.earlier, value, next.slots, same_step);
    const bool own = side(cut.own, value, next.slots, true);
    if (earlier != own) next.rest += own ? cut.forward : cut.backward;
  }
  next.bound_ms = base_ms_ + static_cast<double>(next.rest) * unit_ms_;
  for (int tier = 0; tier < tiers_; ++tier) {
    next.bound_ms +=
        (price_[tier] + costs_.tiers[tier].cost_per_activation_byte) * next.activation[tier];
  }
  if (next.bound_ms >= cutoff_ms_) return;
  if (step.slot >= 0) next.slots[step.slot] = static_cast<std::uint8_t>(value);
  for (int slot : step.released) next.slots[slot] = 0;
  next_.push_back(next);
}

// What it costs that the atom's inputs come to the tier; false when one cannot.
bool LabelSearch::add_inputs(int atom, int tier, Label& next) const {
  const auto& inputs = costs_.graph.atoms()[atom].inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const int tensor = inputs[i];
    if (step_of_tensor_[tensor] >= 0) {
      if (!(next.slots[slot_of_tensor_[tensor]] >> tier & 1)) return false;
      continue;
    }
    if (std::find(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(i), tensor) !=
        inputs.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;  // listed twice
    }
    const graph::Tensor& description = costs_.graph.tensors()[tensor];
    const int home = description.producer < 0 ? evaluator_.input_tier(tensor)
                                              : next.slots[slot_of_atom_[description.producer]];
    if (home == tier) continue;
    next.cost_ms += evaluator_.routes().transfer_ms(home, TierSet{1} << tier, description.bytes);
  }
  return true;
}

void LabelSearch::set_phase(const Step& step, int tier, Label& next) const {
  if (!phases_) return;
  int phase = 0;
  for (int edge : control_.edges_to(step.item)) {
    const int from = control_.edges()[edge].from;
    const bool atom = control_.is_atom(from);
    const int from_tier = atom ? next.slots[slot_of_atom_[from]] : control_.fixed_tier(from);
    // Control's start is in phase 0; an input on the other tier waits in phase 1.
    const int from_phase = atom                       ? next.slots[phase_slot_of_atom_[from]]
                           : from == control_.start() ? 0
                                                      : 1;
    phase = std::max(phase, from_phase + (from_tier != tier ? 1 : 0));
  }
  for (int edge : control_.edges_from(step.item)) {
    const int to = control_.edges()[edge].to;
    if (control_.is_atom(to)) continue;
    const int to_tier = control_.fixed_tier(to);
    std::uint8_t& latest = next.slots[to == control_.end() ? kEndPhase : kOtherPhase];
    const int arrives = phase + (to_tier >= 0 && to_tier != tier ? 1 : 0);
    latest = static_cast<std::uint8_t>(std::max<int>(latest, std::min(arrives, 255)));
  }
  if (step.phase_slot >= 0) {
    next.slots[step.phase_slot] = static_cast<std::uint8_t>(std::min(phase, 255));
  }
}

void LabelSearch::expand_atom(const Step& step, const Label& label, std::uint32_t index) {
  const AtomCost& atom = costs_.atoms[step.item];
  for (int tier = 0; tier < tiers_; ++tier) {
    if (!(choices_[step.item] >> tier & 1)) continue;
    Label next = label;
    next.parent = index;
    next.choice = static_cast<std::uint8_t>(tier);
    next.weights[tier] += static_cast<double>(atom.weight_bytes);
    next.activation[tier] =
        std::max(next.activation[tier], static_cast<double>(atom.activation_bytes));
    const auto memory = static_cast<double>(costs_.tiers[tier].memory_bytes);
    if (memory > 0 && next.weights[tier] + next.activation[tier] > memory) continue;
    next.cost_ms += atom.latency_ms[tier];
    if (!add_inputs(step.item, tier, next)) continue;
    for (int tensor : costs_.graph.atoms()[step.item].outputs) {
      const int result = evaluator_.output_tier(tensor);
      if (step_of_tensor_[tensor] >= 0 || result < 0 || result == tier) continue;
      next.cost_ms += evaluator_.routes().transfer_ms(tier, TierSet{1} << result,
                                                      costs_.graph.tensors()[tensor].bytes);
    }
    if (std::isinf(next.cost_ms)) continue;
    set_phase(step, tier, next);
    add(step, tier, next);
  }
}

// All sets of tiers to which the tensor may go.
void LabelSearch::expand_tensor(const Step& step, const Label& label, std::uint32_t index) {
  const graph::Tensor& tensor = costs_.graph.tensors()[step.item];
  const int home = tensor.producer < 0 ? evaluator_.input_tier(step.item)
                                       : label.slots[slot_of_atom_[tensor.producer]];
  const int result = evaluator_.output_tier(step.item);
  for (TierSet set = 0; set < TierSet{1} << tiers_; ++set) {
    if (!(set >> home & 1) || (result >= 0 && !(set >> result & 1))) continue;
    const TierSet needed = set & ~(TierSet{1} << home);
    if (evaluator_.routes().arrived(home, needed) != set) continue;  // others arrive on the way
    const double ms = evaluator_.routes().transfer_ms(home, needed, tensor.bytes);
    if (std::isinf(ms)) continue;
    Label next = label;
    next.parent = index;
    next.choice = 0;
    next.cost_ms += ms;
    add(step, static_cast<int>(set), next);
  }
}

// Whether whatever can still become of `b` is no better than the same with `a`. Both have the same
// slots.
bool LabelSearch::dominates(const Label& a, const Label& b) const {
  if (a.cost_ms > b.cost_ms) return false;
  for (int tier = 0; tier < tiers_; ++tier) {
    const auto memory = static_cast<double>(costs_.tiers[tier].memory_bytes);
    const bool priced = costs_.tiers[tier].cost_per_activation_byte > 0;
    const double most =
        a.weights[tier] + now_.weights + std::max(a.activation[tier], now_.activation);
    const bool safe = memory == 0 || most <= memory;
    if (safe && !priced) continue;
    if (a.activation[tier] > b.activation[tier]) return false;
    if (!safe && a.weights[tier] > b.weights[tier]) return false;
  }
  return true;
}

void LabelSearch::drop_dominated() {
  std::sort(next_.begin(), next_.end(), [](const Label& a, const Label& b) {
    if (const int order = std::memcmp(a.slots.data(), b.slots.data(), kSlots)) return order < 0;
    if (a.cost_ms != b.cost_ms) return a.cost_ms < b.cost_ms;
    if (a.weights != b.weights) return a.weights < b.weights;
    if (a.parent != b.parent) return a.parent < b.parent;
    return a.choice < b.choice;
  });
  std::size_t kept = 0;
  std::size_t group = 0;  // where the labels with these slots begin
  for (std::size_t i = 0; i < next_.size(); ++i) {
    if (group < kept && next_[group].slots != next_[i].slots) group = kept;
    const std::size_t first = kept - group > kMaxCompared ? kept - kMaxCompared : group;
    bool dominated = group < kept && dominates(next_[group], next_[i]);
    for (std::size_t k = first; k < kept && !dominated; ++k) {
      dominated = dominates(next_[k], next_[i]);
    }
    if (dominated) continue;
    if (kept != i) next_[kept] = next_[i];
    ++kept;
  }
  next_.resize(kept);
}

void LabelSearch::keep_best(std::size_t width, Result& result) {
  if (next_.size() <= width) return;
  std::stable_sort(next_.begin(), next_.end(),
                   [](const Label& a, const Label& b) { return a.bound_ms < b.bound_ms; });
  result.complete = false;
  result.bound_ms = std::min(result.bound_ms, next_[width].bound_ms);
  next_.resize(width);
}

Placement LabelSearch::placement(std::uint32_t index) const {
  Placement result(costs_.atoms.size(), 0);
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const Origin& origin = history_[i][index];
    if (!steps_[i].commits) result[steps_[i].item] = origin.choice;
    index = origin.parent;
  }
  return result;
}

LabelSearch::Result LabelSearch::run(std::size_t width, const Callbacks& callbacks) {
  Result result{true, kInfinite};
  if (too_wide_) return {false, base_ms_};
  history_.clear();
  labels_.assign(1, first_);
  std::size_t total = 0;
  for (std::size_t i = 0; i < steps_.size() && !labels_.empty(); ++i) {
    cutoff_ms_ = callbacks.cutoff_ms();
    now_ = later_[i + 1];
    next_.clear();
    for (std::uint32_t k = 0; k < labels_.size(); ++k) {
      if (steps_[i].commits) {
        expand_tensor(steps_[i], labels_[k], k);
      } else {
        expand_atom(steps_[i], labels_[k], k);
      }
    }
    work_ += kWorkPerLabel * static_cast<std::int64_t>(labels_.size() + next_.size());
    drop_dominated();
    keep_best(width, result);
    labels_.swap(next_);
    std::vector<Origin> origins;
    origins.reserve(labels_.size());
    for (const Label& label : labels_) origins.push_back({label.parent, label.choice});
    history_.push_back(std::move(origins));
    total += labels_.size();
    if (total > kMaxHistory || callbacks.stop()) return {false, base_ms_};
  }
  // Few are left: nothing is later, so they differ in the phases of the results only.
  for (std::uint32_t k = 0; k < labels_.size(); ++k) callbacks.on_placement(placement(k));
  return result;
}

}  // namespace adamec::plan
