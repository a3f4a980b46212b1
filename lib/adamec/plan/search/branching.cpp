#include "adamec/plan/search/search.h"

#include <algorithm>
#include <bit>

namespace adamec::plan {

// One atom per stay on a tier after the first, along the longest path of control; atoms that are
// pinned already where there are any.
std::vector<int> Search::chain(const Placement& placement, const std::vector<int>& pins) const {
  std::vector<int> path;
  const ControlGraph& control = size_bound_ ? size_bound_->control() : control_;
  (void)control.longest_path_ms(placement, &path);
  std::vector<int> atoms;
  bool moved = control.has_block_overhead();
  bool have = false;  // an atom of this stay
  for (int edge : path) {
    const auto [from, to] = control.edges()[edge];
    if (!control.is_atom(to)) {
      moved = true;
      have = false;
      continue;
    }
    if (control.tier_of(from, placement) != placement[to]) {
      moved = true;
      have = false;
    }
    if (!moved) continue;
    if (!have) {
      atoms.push_back(to);
      have = true;
    } else if (pins[to] >= 0) {
      atoms.back() = to;
    }
  }
  return atoms;
}

void Search::push(const Subproblem& parent, const Bounds::Bound& result, std::vector<int>& pins,
                  const std::vector<Pin>& more) {
  for (const Pin& pin : more) pins[pin.atom] = pin.tier;
  const double forced = control_.forced_ms(pins);
  const bool too_large = is_too_large(pins);
  for (const Pin& pin : more) pins[pin.atom] = -1;
  const double bound = std::max(result.bound, result.free_moves_bound + forced);
  if (too_large || bound >= cutoff()) return;
  Subproblem child{bound, created_++, parent.pins, prices_};
  child.pins.insert(child.pins.end(), more.begin(), more.end());
  open_.push(std::move(child));
}

// Pins the atom to every other tier where it may run, and last (so that it comes first) to this
// one. `kept` are pins that all children share.
void Search::branch_on_atom(const Subproblem& node, const Bounds::Bound& result,
                            std::vector<int>& pins, std::vector<Pin>& kept, int atom,
                            int first_tier) {
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    if (tier == first_tier || !(choices_[atom] >> tier & 1)) continue;
    kept.push_back({atom, tier});
    push(node, result, pins, kept);
    kept.pop_back();
  }
  if (first_tier < 0 || !(choices_[atom] >> first_tier & 1)) return;
  kept.push_back({atom, first_tier});
  push(node, result, pins, kept);
  kept.pop_back();
}

// Picks the largest free atom on a tier that is overfull in some relaxed solution.
bool Search::branch_on_memory(const Subproblem& node, const Bounds::Bound& result,
                              std::vector<int>& pins) {
  for (const Placement* placement : {&result.placement, &result.free_placement, &result.overfull}) {
    if (placement->empty()) continue;
    const auto used = evaluator_.memory_bytes(*placement);
    for (int tier = 0; tier < costs_.tier_count(); ++tier) {
      if (evaluator_.excess_bytes(tier, used[tier]) == 0) continue;
      int largest = -1;
      std::uint64_t most = 0;
      for (int atom = 0; atom < costs_.atom_count(); ++atom) {
        const std::uint64_t bytes =
            costs_.atoms[atom].weight_bytes + costs_.atoms[atom].activation_bytes;
        if ((*placement)[atom] != tier || pins[atom] >= 0 || bytes <= most) continue;
        largest = atom;
        most = bytes;
      }
      if (largest < 0) continue;
      // What is left on the tier comes last: first without the atom.
      std::vector<Pin> kept;
      branch_on_atom(node, result, pins, kept, largest, costs_.tier_count() == 2 ? 1 - tier : -1);
      return true;
    }
  }
  return false;
}

bool Search::branch_on_chain(const Subproblem& node, const Bounds::Bound& result,
                             const Placement& placement, std::vector<int>& pins) {
  if (placement.empty()) return false;
  std::vector<Pin> kept;
  for (int atom : chain(placement, pins)) {
    if (pins[atom] >= 0) continue;
    for (int tier = 0; tier < costs_.tier_count(); ++tier) {
      if (tier == placement[atom] || !(choices_[atom] >> tier & 1)) continue;
      kept.push_back({atom, tier});
      push(node, result, pins, kept);
      kept.pop_back();
    }
    kept.push_back({atom, placement[atom]});
  }
  if (kept.empty()) return false;
  push(node, result, pins, kept);
  return true;
}

// A free atom, one whose inputs come from a different tier if there is any; -1: none is free.
int Search::free_atom(const Placement& placement, const std::vector<int>& pins) const {
  int any = -1;
  for (int atom : costs_.graph.topological_order()) {
    if (pins[atom] >= 0) continue;
    if (any < 0) any = atom;
    for (int before : costs_.graph.predecessors(atom)) {
      if (placement[before] != placement[atom]) return atom;
    }
  }
  return any;
}

}  // namespace adamec::plan
