#include "adamec/plan/atlas/cover.h"

#include <algorithm>
#include <cmath>

namespace adamec::plan {
namespace {

// Plans that are better by less than this share are no others (kProofTolerance of the search).
constexpr double kSame = 2 * kProofTolerance;

}  // namespace

AtlasCover::AtlasCover(const CostGraph& costs, const AtlasRanges& ranges, const AtlasLimits& limits)
    : ranges_(ranges), limits_(limits), model_(costs, ranges), costs_(costs) {
  for (std::size_t i = 0; i < ranges.ranges.size(); ++i) {
    if (ranges.ranges[i].is_memory()) {
      memory_tier_ = ranges.ranges[i].tier;
    } else {
      linear_.push_back(i);
    }
  }
}

std::vector<AtlasCover::Cell> AtlasCover::cells() const {
  std::vector<Cell> result(1);
  for (std::size_t index : linear_) {
    const Range& range = ranges_.ranges[index];
    std::vector<double> ends = range.knots;
    if (ends.empty()) {
      ends = {AtlasModel::coordinate(range, range.low), AtlasModel::coordinate(range, range.high)};
      std::sort(ends.begin(), ends.end());
    }
    std::vector<Cell> finer;
    for (const Cell& cell : result) {
      for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
        finer.push_back(cell);
        finer.back().low.push_back(ends[i]);
        finer.back().high.push_back(ends[i + 1]);
        finer.back().knot.push_back(i);
      }
    }
    result = std::move(finer);
  }
  return result;
}

// The plan's latency in the cell as a linear function of the coordinates.
std::vector<double> AtlasCover::plane(const AtlasPlan& plan, const Cell& cell) const {
  std::vector<double> result{plan.features[0]};
  for (std::size_t i = 0; i < linear_.size(); ++i) {
    const Range& range = ranges_.ranges[linear_[i]];
    const double* const column = plan.features.data() + model_.column(linear_[i]);
    if (range.knots.empty()) {
      result.push_back(*column);
      continue;
    }
    const double low = column[cell.knot[i]];
    const double slope = (column[cell.knot[i] + 1] - low) / (cell.high[i] - cell.low[i]);
    result.push_back(slope);
    result[0] += low - slope * cell.low[i];
  }
  return result;
}

AtlasCover::SearchedPlan AtlasCover::search(const std::vector<double>& at, double memory) {
  std::vector<double> values(ranges_.ranges.size(), memory);
  for (std::size_t i = 0; i < at.size(); ++i) {
    values[linear_[i]] = AtlasModel::value(ranges_.ranges[linear_[i]], at[i]);
  }
  model_.apply(values, costs_);
  const Evaluator evaluator(costs_);
  Plan plan = find_optimal(evaluator, limits_.search);
  ++searches_;
  std::vector<double> features = model_.features(evaluator, plan.placement);
  const auto known = std::find_if(plans_.begin(), plans_.end(), [&](const AtlasPlan& other) {
    return other.placement == plan.placement && other.features == features;
  });
  const int index = static_cast<int>(known - plans_.begin());
  if (known == plans_.end()) {
    plans_.push_back(
        {plan.placement, std::move(features), std::move(plan.evaluation.memory_bytes), {}});
  }
  return {index, plan.lower_bound_ms};
}

// Searches at vertices until all are known or the limits are reached.
void AtlasCover::refine(Covered& covered, double memory, Known& known) {
  Envelope& envelope = covered.envelope;
  const auto add = [&](int plan) {
    if (envelope.add(plane(plans_[plan], covered.cell), kSame)) covered.plans.push_back(plan);
  };
  const auto visit = [&](const std::vector<double>& at) {
    const SearchedPlan found = search(at, memory);
    known[at] = found.lower_bound;
    return found.plan;
  };
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const bool fits =
        memory_tier_ < 0 || static_cast<double>(plans_[i].memory_bytes[memory_tier_]) <= memory;
    if (fits) add(static_cast<int>(i));
  }
  if (covered.plans.empty()) add(visit(covered.cell.low));
  for (bool changed = true; changed;) {
    changed = false;
    for (const Envelope::Vertex* vertex : envelope.vertices()) {
      const std::vector<double> at = vertex->at;
      if (known.count(at) > 0) continue;
      if (searches_ >= limits_.searches || (limits_.search.stop && limits_.search.stop())) return;
      const double height = vertex->height;
      const int plan = visit(at);
      changed = true;
      if (height <= known[at] * (1 + ranges_.tolerance)) continue;
      add(plan);
      break;  // the vertices are others now
    }
  }
}

// What is surely no more than the optimum at a point, because the optimum is concave: the
// interpolation between its lower bounds at the corners of the cell.
double AtlasCover::from_corners(const Cell& cell, const Known& known,
                                const std::vector<double>& at) const {
  double result = 0;
  for (std::size_t corner = 0; corner < std::size_t{1} << at.size(); ++corner) {
    std::vector<double> place = cell.low;
    double weight = 1;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double share = (at[i] - cell.low[i]) / (cell.high[i] - cell.low[i]);
      const bool high = corner >> i & 1;
      if (high) place[i] = cell.high[i];
      weight *= high ? share : 1 - share;
    }
    const auto found = known.find(place);
    if (found != known.end()) result += weight * found->second;
  }
  return result;
}

// The largest gap at any vertex, which is the largest in the whole cell.
void AtlasCover::measure(Covered& covered, const Known& known) const {
  for (const Envelope::Vertex* vertex : covered.envelope.vertices()) {
    const auto found = known.find(vertex->at);
    const bool searched = found != known.end();
    const double bound = searched ? found->second : from_corners(covered.cell, known, vertex->at);
    if (vertex->height <= bound * (1 + kSame)) continue;
    covered.gap = std::max(covered.gap, bound > 0 ? vertex->height / bound - 1 : INFINITY);
  }
}

AtlasCover::Covered AtlasCover::cover(const Cell& cell, double memory) {
  Covered covered{cell, Envelope(cell.low, cell.high), {}, 0};
  Known known;
  refine(covered, memory, known);
  measure(covered, known);
  return covered;
}

}  // namespace adamec::plan
