#include "adamec/plan/search/search.h"

#include <algorithm>
#include <bit>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/search/heuristics.h"
#include "adamec/plan/search/label_search.h"

namespace adamec::plan {
namespace {

constexpr int kRootRounds = 40;
constexpr int kNodeRounds = 4;
constexpr std::size_t kFirstWidth = 64;  // of the label search
constexpr std::size_t kLastWidth = 64 << 14;
constexpr int kWidthFactor = 4;

}  // namespace

Search::Search(const Evaluator& evaluator, const Goal& goal, const SearchLimits& limits)
    : evaluator_(evaluator),
      goal_(goal),
      incumbent_(evaluator, goal),
      costs_(evaluator.costs()),
      control_(evaluator.control()),
      limits_(limits),
      work_limit_(limits.work),
      root_pins_(initial_pins(evaluator)),
      bounds_(
          evaluator, [this](const Placement& placement) { consider(placement); },
          [this] { return out_of_budget(); }) {
  for (const Limit& limit : goal.limits) offset_ += limit.price * limit.at_most;
}

// The tiers where each atom may run: allowed, reachable, and large enough for the atom alone.
void Search::find_choices() {
  choices_.assign(root_pins_.size(), 0);
  for (std::size_t i = 0; i < root_pins_.size(); ++i) {
    const AtomCost& atom = costs_.atoms[i];
    const std::uint64_t bytes = atom.weight_bytes + atom.activation_bytes;
    int blamed = -1;  // the first tier that is too small
    for (int tier = 0; tier < costs_.tier_count(); ++tier) {
      if (root_pins_[i] >= 0 ? root_pins_[i] != tier : !can_run_on(evaluator_, i, tier)) continue;
      const std::uint64_t excess = evaluator_.excess_bytes(tier, bytes);
      if (excess == 0) choices_[i] |= TierSet{1} << tier;
      if (blamed < 0) blamed = tier;
    }
    if (choices_[i] == 0) {
      fail_with(ErrorKind::kInfeasible, "{}: atom '{}' needs {} of memory, {} more than '{}' has",
                costs_.source, printable(costs_.graph.atoms()[i].id), format_bytes(bytes),
                format_bytes(evaluator_.excess_bytes(blamed, bytes)),
                printable(costs_.tiers[blamed].name));
    }
    if (std::has_single_bit(choices_[i])) root_pins_[i] = std::countr_zero(choices_[i]);
  }
}

void Search::consider_simple_placements() {
  Placement placement(root_pins_.size());
  for (int tier = 0; tier < costs_.tier_count(); ++tier) {
    for (std::size_t i = 0; i < placement.size(); ++i) {
      const bool there = choices_[i] >> tier & 1;
      placement[i] = there ? tier : std::countr_zero(choices_[i]);
    }
    consider(placement);
  }
}

void Search::expand(const Subproblem& node, int rounds) {
  std::vector<int> pins = root_pins_;
  for (const Pin& pin : node.pins) pins[pin.atom] = pin.tier;
  if (is_too_large(pins)) return;
  Bounds::Bound result = bounds_.tighten(pins, *node.prices, rounds, cutoff());
  result.bound = std::max(result.bound, node.bound);
  const double forced = control_.forced_ms(pins);
  result.bound = std::max(result.bound, result.free_moves_bound + forced);
  if (!result.placement.empty()) prices_ = std::make_shared<const Prices>(result.prices);
  if (result.bound >= cutoff()) return;
  if (branch_on_memory(node, result, pins)) return;
  if (branch_on_chain(node, result, result.placement, pins)) return;
  if (branch_on_chain(node, result, result.free_placement, pins)) return;
  const int atom = free_atom(result.placement, pins);
  if (atom < 0) return;  // one placement, which has been considered
  std::vector<Pin> kept;
  branch_on_atom(node, result, pins, kept, atom, result.placement[atom]);
}

// Wider and wider, as long as that is worth half of what work is left.
void Search::search_labels() {
  if (open_.empty() || !goal_.limits.empty()) return;
  if (!LabelSearch::is_available(evaluator_, bounds_.moves_cost())) return;
  const Bounds::Reduced reduced = bounds_.reduce(root_pins_, *prices_);
  LabelSearch search(evaluator_, bounds_.relaxation(), choices_, reduced, *prices_);
  const LabelSearch::Callbacks callbacks{
      [this] { return cutoff(); }, [this](const Placement& placement) { consider(placement); },
      [&] { return out_of_budget(search.work()); }};
  for (std::size_t width = kFirstWidth; width <= kLastWidth; width *= kWidthFactor) {
    const std::int64_t before = search.work();
    const LabelSearch::Result result = search.run(width, callbacks);
    if (result.complete) {
      open_ = {};
    } else {
      floor_ = std::max(floor_, result.bound);
    }
    const double next = static_cast<double>(search.work() - before) * kWidthFactor;
    const double left = static_cast<double>(limits_.work - bounds_.work() - search.work());
    if (result.complete || floor_ >= cutoff() || next > left / 2) break;
    if (out_of_budget(search.work())) break;
  }
  label_work_ = search.work();
}

bool Search::exhausted() const {
  return open_.empty() || std::max(open_.top().bound, floor_) >= cutoff();
}

void Search::search_open() {
  while (!exhausted() && !out_of_budget()) {
    const Subproblem node = open_.top();
    open_.pop();
    expand(node, kNodeRounds);
  }
}

Optimum Search::run() {
  find_choices();
  consider_simple_placements();
  prices_ = std::make_shared<const Prices>(bounds_.initial_prices());
  const Subproblem root{0, created_++, {}, prices_};
  expand(root, kRootRounds);
  root_prices_ = prices_;
  if (!open_.empty()) {
    bounds_.propose_fitting(root_pins_, *prices_);
    if (costs_.tier_count() == 2) {
      consider(neurosurgeon(evaluator_));
      consider(dads(evaluator_));
    }
  }
  search_labels();
  search_open();
  const bool proven = exhausted();
  if (!incumbent_.found()) incumbent_.report_infeasible(proven);
  const double least = incumbent_.cost();
  const double bound =
      proven ? least : std::max(std::max(open_.top().bound, floor_) - offset_, 0.0);
  if (goal_.executed != nullptr) find_smallest();
  return {incumbent_.placement(), incumbent_.cost(), std::min(bound, least)};
}

}  // namespace adamec::plan
