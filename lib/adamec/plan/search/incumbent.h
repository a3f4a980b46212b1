#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "adamec/plan/cost/evaluate.h"
#include "adamec/plan/search/branch_and_bound.h"

namespace adamec::plan {

// The best placement a search has seen so far and, while there is none that can run, the one that
// comes closest: what is said when none is found.
class Incumbent {
 public:
  // Both must outlive it.
  Incumbent(const Evaluator& evaluator, const Goal& goal) : evaluator_(evaluator), goal_(goal) {}

  // Takes the placement if it can run, keeps the limits of the goal and is better: cheaper or, once
  // small ones are preferred, smaller and about as cheap.
  void consider(const Placement& placement);
  // From now on the cost may not fall or rise any more. One was found, and goal.executed is given.
  void prefer_small();

  [[nodiscard]] bool found() const { return cost_ < std::numeric_limits<double>::infinity(); }
  [[nodiscard]] const Placement& placement() const { return placement_; }
  [[nodiscard]] double cost() const { return cost_; }  // of the goal's score; infinite: none found
  // Placements that cost this much or more are not taken.
  [[nodiscard]] double cutoff() const;
  [[nodiscard]] PlanSize size() const { return size_; }  // once small ones are preferred

  // Throws Error (kInfeasible). `exhausted`: all placements were looked at, none was left out.
  [[noreturn]] void report_infeasible(bool exhausted) const;

 private:
  const Evaluator& evaluator_;
  const Goal& goal_;
  Placement placement_;
  double cost_ = std::numeric_limits<double>::infinity();
  bool prefer_small_ = false;
  double equal_cost_ = 0;  // what small ones may cost
  PlanSize size_;
  std::uint64_t least_excess_ = UINT64_MAX;  // bytes of memory
  std::string closest_;
  double least_over_ = std::numeric_limits<double>::infinity();  // the same for limits
  std::string over_what_;
};

}  // namespace adamec::plan
