#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "adamec/plan/search/bounds.h"
#include "adamec/plan/search/branch_and_bound.h"
#include "adamec/plan/search/incumbent.h"

// The branch and bound behind find_best(). Only for this room.
namespace adamec::plan {

struct Pin {
  int atom;
  int tier;
};

// A set of placements: those that keep the pins.
struct Subproblem {
  double bound;
  std::int64_t number;  // in order of creation; the newest of equal bounds comes first
  std::vector<Pin> pins;
  std::shared_ptr<const Prices> prices;

  bool operator<(const Subproblem& other) const {
    if (bound != other.bound) return bound > other.bound;
    return number < other.number;
  }
};

// A cost graph that counts: a block costs 1, a move over a link next to nothing. The longest path
// of control, or what pins force it to be, is a lower bound of a placement's PlanSize.
class SizeBound {
 public:
  explicit SizeBound(const CostGraph& costs);
  SizeBound(const SizeBound&) = delete;
  SizeBound& operator=(const SizeBound&) = delete;

  [[nodiscard]] const ControlGraph& control() const { return control_; }
  // Whether no placement that keeps the pins is smaller than `size`.
  [[nodiscard]] bool reaches(const std::vector<int>& pins, const PlanSize& size) const;

 private:
  CostGraph costs_;
  ControlGraph control_;
};

// Finds a placement of least cost; then, among those that cost as much, the smallest.
class Search {
 public:
  // All must outlive this object.
  Search(const Evaluator& evaluator, const Goal& goal, const SearchLimits& limits);

  [[nodiscard]] Optimum run();

 private:
  void consider(const Placement& placement) { incumbent_.consider(placement); }
  void find_choices();
  void consider_simple_placements();
  void search_labels();
  // Takes subproblems until none is left that may hold anything better, or the budget is spent.
  void search_open();
  bool exhausted() const;

  // Second stage: smaller placements of equal cost.
  void find_smallest();
  void merge_blocks();
  bool merge_block(const Block& block);
  bool is_too_large(const std::vector<int>& pins) const;

  void expand(const Subproblem& node, int rounds);
  bool branch_on_memory(const Subproblem& node, const Bounds::Bound& result,
                        std::vector<int>& pins);
  bool branch_on_chain(const Subproblem& node, const Bounds::Bound& result,
                       const Placement& placement, std::vector<int>& pins);
  void branch_on_atom(const Subproblem& node, const Bounds::Bound& result, std::vector<int>& pins,
                      std::vector<Pin>& kept, int atom, int first_tier);
  int free_atom(const Placement& placement, const std::vector<int>& pins) const;
  void push(const Subproblem& parent, const Bounds::Bound& result, std::vector<int>& pins,
            const std::vector<Pin>& more);
  std::vector<int> chain(const Placement& placement, const std::vector<int>& pins) const;

  // Of bounds, which count the limits' prices but not what they allow.
  double cutoff() const { return incumbent_.cutoff() + offset_; }
  bool out_of_budget(std::int64_t more = 0) const {
    return bounds_.work() + label_work_ + more >= work_limit_ || (limits_.stop && limits_.stop());
  }

  const Evaluator& evaluator_;
  const Goal& goal_;
  Incumbent incumbent_;
  double offset_ = 0;
  const CostGraph& costs_;
  const ControlGraph& control_;
  const SearchLimits& limits_;
  std::int64_t work_limit_;
  std::vector<int> root_pins_;
  std::vector<TierSet> choices_;  // per atom
  Bounds bounds_;
  std::priority_queue<Subproblem> open_;
  double floor_ = 0;  // no placement costs less, as far as labels show
  std::int64_t label_work_ = 0;
  std::int64_t created_ = 0;
  std::shared_ptr<const Prices> prices_;  // of the subproblem being expanded
  std::shared_ptr<const Prices> root_prices_;
  std::optional<SizeBound> size_bound_;  // in the second stage
};

}  // namespace adamec::plan
