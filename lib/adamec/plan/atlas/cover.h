#pragma once

#include <map>
#include <optional>
#include <vector>

#include "adamec/plan/atlas/atlas.h"
#include "adamec/plan/atlas/envelope.h"

namespace adamec::plan {

// The plans found so far for an atlas, and the search for those that are optimal in one box of
// coordinates in which all latencies are linear (a cell: between two knots of every load).
class AtlasCover {
 public:
  // All must outlive this object.
  AtlasCover(const CostGraph& costs, const AtlasRanges& ranges, const AtlasLimits& limits);

  struct Cell {
    std::vector<double> low;  // coordinates of the linear ranges, in order
    std::vector<double> high;
    std::vector<std::size_t> knot;  // per linear range: of load, the knot at `low`
  };
  struct Covered {
    Cell cell;
    Envelope envelope;
    std::vector<int> plans;  // of the envelope's planes: indices into plans()
    double gap = 0;
  };

  // The product of all segments between knots.
  [[nodiscard]] std::vector<Cell> cells() const;
  // `memory`: of the tier with a range of memory, 0 without one.
  [[nodiscard]] Covered cover(const Cell& cell, double memory);

  [[nodiscard]] const std::vector<AtlasPlan>& plans() const { return plans_; }
  [[nodiscard]] std::int64_t searches() const { return searches_; }
  [[nodiscard]] const AtlasModel& model() const { return model_; }
  [[nodiscard]] const std::vector<std::size_t>& linear() const {
    return linear_;
  }  // ranges other than memory
  // The tier whose memory is a range; -1: none.
  [[nodiscard]] int memory_tier() const { return memory_tier_; }

 private:
  struct SearchedPlan {
    int plan;
    double lower_bound;
  };
  SearchedPlan search(const std::vector<double>& at, double memory);
  std::vector<double> plane(const AtlasPlan& plan, const Cell& cell) const;
  // Lower bounds of the optimum at points of the cell that were searched.
  using Known = std::map<std::vector<double>, double>;
  void refine(Covered& covered, double memory, Known& known);
  void measure(Covered& covered, const Known& known) const;
  double from_corners(const Cell& cell, const Known& known, const std::vector<double>& at) const;

  const AtlasRanges& ranges_;
  const AtlasLimits& limits_;
  AtlasModel model_;
  CostGraph costs_;  // at the point that was searched last
  std::vector<std::size_t> linear_;
  int memory_tier_ = -1;
  std::vector<AtlasPlan> plans_;
  std::int64_t searches_ = 0;
};

}  // namespace adamec::plan
