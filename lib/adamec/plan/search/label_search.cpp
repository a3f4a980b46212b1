#include "adamec/plan/search/label_search.h"
#include "adamec/plan/cost/infinite.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace adamec::plan {
namespace {

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

// Whether the node is on the sink's side: beyond its hop. `value` is what this step decides, the
// tier of an atom or the set of tiers where a tensor lies; earlier ones are in their slots.
bool LabelSearch::side(const CutNode& of, int value, const Slots& slots, bool own) const {
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
  next.bound = base_cost_ + static_cast<double>(next.rest) * unit_cost_;
  for (int tier = 0; tier < tiers_; ++tier) {
    next.bound +=
        (price_[tier] + costs_.tiers[tier].cost_per_activation_byte) * next.activation[tier];
  }
  if (next.bound >= cutoff_) return;
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
    next.cost += evaluator_.routes().transfer_ms(home, TierSet{1} << tier, description.bytes);
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
    next.cost += atom.latency_ms[tier];
    if (!add_inputs(step.item, tier, next)) continue;
    for (int tensor : costs_.graph.atoms()[step.item].outputs) {
      const int result = evaluator_.output_tier(tensor);
      if (step_of_tensor_[tensor] >= 0 || result < 0 || result == tier) continue;
      next.cost += evaluator_.routes().transfer_ms(tier, TierSet{1} << result,
                                                   costs_.graph.tensors()[tensor].bytes);
    }
    if (std::isinf(next.cost)) continue;
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
    next.cost += ms;
    add(step, static_cast<int>(set), next);
  }
}

// Whether whatever can still become of `b` is no better than the same with `a`. Both have the same
// slots.
bool LabelSearch::dominates(const Label& a, const Label& b) const {
  if (a.cost > b.cost) return false;
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
    if (a.cost != b.cost) return a.cost < b.cost;
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
                   [](const Label& a, const Label& b) { return a.bound < b.bound; });
  result.complete = false;
  result.bound = std::min(result.bound, next_[width].bound);
  next_.resize(width);
}

Placement LabelSearch::placement(std::uint32_t index) const {
  Placement result(costs_.atoms.size(), 0);
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const LabelParent& origin = history_[i][index];
    if (!steps_[i].commits) result[steps_[i].item] = origin.choice;
    index = origin.parent;
  }
  return result;
}

LabelSearch::Result LabelSearch::run(std::size_t width, const Callbacks& callbacks) {
  Result result{true, kInfinite};
  if (too_wide_) return {false, base_cost_};
  history_.clear();
  labels_.assign(1, first_);
  std::size_t total = 0;
  for (std::size_t i = 0; i < steps_.size() && !labels_.empty(); ++i) {
    cutoff_ = callbacks.cutoff();
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
    std::vector<LabelParent> origins;
    origins.reserve(labels_.size());
    for (const Label& label : labels_) origins.push_back({label.parent, label.choice});
    history_.push_back(std::move(origins));
    total += labels_.size();
    if (total > kMaxHistory || callbacks.stop()) return {false, base_cost_};
  }
  // Few are left: nothing is later, so they differ in the phases of the results only.
  for (std::uint32_t k = 0; k < labels_.size(); ++k) callbacks.on_placement(placement(k));
  return result;
}

}  // namespace adamec::plan
