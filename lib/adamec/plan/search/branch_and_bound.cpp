#include "adamec/plan/search/branch_and_bound.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <queue>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/search/bounds.h"
#include "adamec/plan/search/heuristics.h"
#include "adamec/plan/search/incumbent.h"
#include "adamec/plan/search/label_search.h"
#include "adamec/plan/search/shared_state.h"

namespace adamec::plan {
namespace {

constexpr int kRootRounds = 40;
constexpr int kNodeRounds = 4;
constexpr std::size_t kFirstWidth = 64;  // of the label search
constexpr std::size_t kLastWidth = 64 << 14;
constexpr int kWidthFactor = 4;

struct Pin {
  int atom;
  int tier;
};

// A set of placements: those that keep the pins.
struct Node {
  double bound_ms;
  std::int64_t number;  // in order of creation; the newest of equal bounds comes first
  std::vector<Pin> pins;
  std::shared_ptr<const Prices> prices;

  bool operator<(const Node& other) const {
    if (bound_ms != other.bound_ms) return bound_ms > other.bound_ms;
    return number < other.number;
  }
};

class Search {
 public:
  Search(const Evaluator& evaluator, const Goal& goal, const SearchLimits& limits)
      : evaluator_(evaluator),
        goal_(goal),
        incumbent_(evaluator, goal),
        costs_(evaluator.costs()),
        control_(evaluator.control()),
        limits_(limits),
        root_pins_(initial_pins(evaluator)),
        bounds_(
            evaluator, [this](const Placement& placement) { consider(placement); },
            [this] { return out_of_budget(); }) {
    for (const Limit& limit : goal.limits) offset_ += limit.price * limit.at_most;
  }

  Found run();

 private:
  void consider(const Placement& placement) { incumbent_.consider(placement); }
  void find_choices();
  void consider_simple_placements();
  void search_labels();
  void expand(const Node& node, int rounds);
  bool branch_on_memory(const Node& node, const Bounds::Result& result, std::vector<int>& pins);
  bool branch_on_chain(const Node& node, const Bounds::Result& result, const Placement& placement,
                       std::vector<int>& pins);
  void branch_on_atom(const Node& node, const Bounds::Result& result, std::vector<int>& pins,
                      std::vector<Pin>& kept, int atom, int first_tier);
  int free_atom(const Placement& placement, const std::vector<int>& pins) const;
  void push(const Node& parent, const Bounds::Result& result, std::vector<int>& pins,
            const std::vector<Pin>& more);
  std::vector<int> chain(const Placement& placement, const std::vector<int>& pins) const;

  // Of bounds, which count the limits' prices but not what they allow.
  double cutoff_ms() const { return incumbent_.value_ms() * (1 - kProofTolerance) + offset_; }
  bool out_of_budget(std::int64_t more = 0) const {
    return bounds_.work() + label_work_ + more >= limits_.work || (limits_.stop && limits_.stop());
  }

  const Evaluator& evaluator_;
  const Goal& goal_;
  Incumbent incumbent_;
  double offset_ = 0;
  const CostGraph& costs_;
  const ControlGraph& control_;
  const SearchLimits& limits_;
  std::vector<int> root_pins_;
  std::vector<TierSet> choices_;  // per atom
  Bounds bounds_;
  std::priority_queue<Node> open_;
  double floor_ms_ = 0;  // no placement has less, as far as labels show
  std::int64_t label_work_ = 0;
  std::int64_t created_ = 0;
  std::shared_ptr<const Prices> prices_;  // of the node being expanded
};

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

// One atom per stay on a tier after the first, along the longest path of control; atoms that are
// pinned already where there are any.
std::vector<int> Search::chain(const Placement& placement, const std::vector<int>& pins) const {
  std::vector<int> path;
  control_.longest_path_ms(placement, &path);
  std::vector<int> atoms;
  bool moved = control_.has_block_overhead();
  bool have = false;  // an atom of this stay
  for (int edge : path) {
    const auto [from, to] = control_.edges()[edge];
    if (!control_.is_atom(to)) {
      moved = true;
      have = false;
      continue;
    }
    if (control_.tier_of(from, placement) != placement[to]) {
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

void Search::push(const Node& parent, const Bounds::Result& result, std::vector<int>& pins,
                  const std::vector<Pin>& more) {
  for (const Pin& pin : more) pins[pin.atom] = pin.tier;
  const double forced = control_.forced_ms(pins);
  for (const Pin& pin : more) pins[pin.atom] = -1;
  const double bound = std::max(result.bound_ms, result.free_moves_ms + forced);
  if (bound >= cutoff_ms()) return;
  Node child{bound, created_++, parent.pins, prices_};
  child.pins.insert(child.pins.end(), more.begin(), more.end());
  open_.push(std::move(child));
}

// Pins the atom to every other tier where it may run, and last (so that it comes first) to this
// one. `kept` are pins that all children share.
void Search::branch_on_atom(const Node& node, const Bounds::Result& result, std::vector<int>& pins,
                            std::vector<Pin>& kept, int atom, int first_tier) {
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
bool Search::branch_on_memory(const Node& node, const Bounds::Result& result,
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

bool Search::branch_on_chain(const Node& node, const Bounds::Result& result,
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

void Search::expand(const Node& node, int rounds) {
  std::vector<int> pins = root_pins_;
  for (const Pin& pin : node.pins) pins[pin.atom] = pin.tier;
  Bounds::Result result = bounds_.tighten(pins, *node.prices, rounds, cutoff_ms());
  result.bound_ms = std::max(result.bound_ms, node.bound_ms);
  const double forced = control_.forced_ms(pins);
  result.bound_ms = std::max(result.bound_ms, result.free_moves_ms + forced);
  if (result.bound_ms >= cutoff_ms()) return;
  prices_ = std::make_shared<const Prices>(std::move(result.prices));
  if (branch_on_memory(node, result, pins)) return;
  if (branch_on_chain(node, result, result.placement, pins)) return;
  if (branch_on_chain(node, result, result.free_placement, pins)) return;
  const int atom = free_atom(result.placement, pins);
  if (atom < 0) return;  // one placement, which has been considered
  std::vector<Pin> kept;
  branch_on_atom(node, result, pins, kept, atom, result.placement[atom]);
}

// A free atom, one whose inputs come from another tier if there is any; -1: none is free.
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

// Wider and wider, as long as that is worth half of what work is left.
void Search::search_labels() {
  if (open_.empty() || !goal_.limits.empty()) return;
  if (!LabelSearch::is_available(evaluator_, bounds_.moves_cost())) return;
  const Bounds::Reduced reduced = bounds_.reduce(root_pins_, *prices_);
  LabelSearch search(evaluator_, bounds_.relaxation(), choices_, reduced, *prices_);
  const LabelSearch::Callbacks callbacks{
      [this] { return cutoff_ms(); }, [this](const Placement& placement) { consider(placement); },
      [&] { return out_of_budget(search.work()); }};
  for (std::size_t width = kFirstWidth; width <= kLastWidth; width *= kWidthFactor) {
    const std::int64_t before = search.work();
    const LabelSearch::Result result = search.run(width, callbacks);
    if (result.complete) {
      open_ = {};
    } else {
      floor_ms_ = std::max(floor_ms_, result.bound_ms);
    }
    const double next = static_cast<double>(search.work() - before) * kWidthFactor;
    const double left = static_cast<double>(limits_.work - bounds_.work() - search.work());
    if (result.complete || floor_ms_ >= cutoff_ms() || next > left / 2) break;
    if (out_of_budget(search.work())) break;
  }
  label_work_ = search.work();
}

Found Search::run() {
  find_choices();
  consider_simple_placements();
  prices_ = std::make_shared<const Prices>(bounds_.initial_prices());
  const Node root{0, created_++, {}, prices_};
  expand(root, kRootRounds);
  if (!open_.empty()) {
    bounds_.propose_fitting(root_pins_, *prices_);
    if (costs_.tier_count() == 2) {
      consider(neurosurgeon(evaluator_));
      consider(dads(evaluator_));
    }
  }
  search_labels();
  while (!open_.empty() && std::max(open_.top().bound_ms, floor_ms_) < cutoff_ms() &&
         !out_of_budget()) {
    const Node node = open_.top();
    open_.pop();
    expand(node, kNodeRounds);
  }
  const bool exhausted = open_.empty() || std::max(open_.top().bound_ms, floor_ms_) >= cutoff_ms();
  if (!incumbent_.found()) incumbent_.report_infeasible(exhausted);
  const double best_ms = incumbent_.value_ms();
  const double bound =
      exhausted ? best_ms : std::max(std::max(open_.top().bound_ms, floor_ms_) - offset_, 0.0);
  return {incumbent_.placement(), best_ms, std::min(bound, best_ms)};
}

}  // namespace

Plan make_plan(const Evaluator& evaluator, Placement placement, double lower_bound_ms) {
  Plan plan;
  plan.evaluation = evaluator.evaluate(placement);
  plan.placement = std::move(placement);
  const double latency = plan.evaluation.latency_ms;
  plan.lower_bound_ms =
      lower_bound_ms >= latency * (1 - kProofTolerance) ? latency : lower_bound_ms;
  if (latency > plan.lower_bound_ms) plan.gap = (latency - plan.lower_bound_ms) / latency;
  return plan;
}

Plan find_optimal(const Evaluator& evaluator, const SearchLimits& limits) {
  const CostGraph& costs = evaluator.costs();
  if (has_alternatives(costs)) {
    const auto plans =
        find_in_each(costs, [&](const Evaluator& pinned) { return find_optimal(pinned, limits); });
    const auto latency = [](const Plan& a, const Plan& b) {
      return a.evaluation.latency_ms < b.evaluation.latency_ms;
    };
    const auto bound = [](const Plan& a, const Plan& b) {
      return a.lower_bound_ms < b.lower_bound_ms;
    };
    return make_plan(evaluator, std::min_element(plans.begin(), plans.end(), latency)->placement,
                     std::min_element(plans.begin(), plans.end(), bound)->lower_bound_ms);
  }
  if (costs.tier_count() == 1) {
    Plan plan = make_plan(evaluator, Placement(costs.atoms.size(), 0), 0);
    if (!plan.evaluation.feasible()) {
      fail_with(ErrorKind::kInfeasible, "{}: {}", costs.source, plan.evaluation.infeasible);
    }
    return make_plan(evaluator, plan.placement, plan.evaluation.latency_ms);
  }
  Found found = find_best(evaluator, {&evaluator, {}}, limits);
  return make_plan(evaluator, std::move(found.placement), found.lower_bound);
}

Found find_best(const Evaluator& evaluator, const Goal& goal, const SearchLimits& limits) {
  return Search(evaluator, goal, limits).run();
}

}  // namespace adamec::plan
