#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adamec/plan/cost/evaluate.h"
#include "adamec/v1/atlas.pb.h"

namespace adamec::plan {

// One thing that changes at run time, between two values.
struct Range {
  using Quantity = v1::AtlasRange::Quantity;
  Quantity quantity = v1::AtlasRange::BANDWIDTH;
  int tier = -1;  // load, slowdown, memory
  int from = -1;  // bandwidth, latency: the link; -1: all links
  int to = -1;
  double low = 0;
  double high = 0;
  double base = 1;                           // slowdown: factor in the cost graph's latencies
  std::vector<double> knots;                 // load
  std::vector<std::vector<double>> knot_ms;  // per knot, per atom

  [[nodiscard]] bool is_memory() const { return quantity == v1::AtlasRange::MEMORY; }
};

// What an atlas is made for.
struct AtlasRanges {
  std::vector<Range> ranges;
  std::vector<double> load_rates;  // per tier, bytes per second; 0: loading takes no time
  double runs = 1;
  double tolerance = 0;
};

inline constexpr std::size_t kMaxLinearRanges = 4;  // ranges of anything but memory
inline constexpr std::size_t kMaxKnots = 32;

// Checks everything a file may get wrong. Throws Error "source: field: reason".
[[nodiscard]] AtlasRanges make_ranges(const v1::AtlasRanges& message, const CostGraph& costs,
                                      const std::string& source);
// The same for the ranges of an atlas, whose knots have no latencies any more.
[[nodiscard]] AtlasRanges make_ranges(const v1::Atlas& atlas, const std::string& source);

// "bandwidth", "bandwidth phone->edge", "load phone"; unique within an atlas.
[[nodiscard]] std::string range_name(const v1::AtlasRange& range);

// A fixed plan's latency as a sum of features times weights: the features belong to the plan, the
// weights to the context. Both have columns(): 1, then one per range (per knot for ranges of load;
// none for memory). The weight of a bandwidth is its reciprocal, so that all latencies are linear.
class AtlasModel {
 public:
  // Both must outlive this object.
  AtlasModel(const CostGraph& costs, const AtlasRanges& ranges);

  [[nodiscard]] std::size_t columns() const { return columns_; }
  // Where the columns of a range start.
  [[nodiscard]] std::size_t column(std::size_t range) const { return first_column_[range]; }
  // Features of a placement; what no range changes is in column 0. On more than two tiers the ways
  // of tensors and control depend on the links: they are those of `at`, an evaluator of the costs
  // at some point of the ranges. Elsewhere the plan keeps them.
  [[nodiscard]] std::vector<double> features(const Evaluator& at, const Placement& placement) const;
  // Weights at one value per range (bytes per second, milliseconds, load, factor, bytes).
  [[nodiscard]] std::vector<double> weights(std::span<const double> values) const;

  // Sets the costs in `costs` (a copy of the cost graph) to what they are at these values.
  void apply(std::span<const double> values, CostGraph& costs) const;

  // The link whose bandwidth a range gives: the only one, or the first of all.
  [[nodiscard]] const Link& reference_link(const Range& range) const;
  // What the range's values are linear in: milliseconds per byte for bandwidths, else themselves.
  [[nodiscard]] static double coordinate(const Range& range, double value);
  [[nodiscard]] static double value(const Range& range, double coordinate);

 private:
  bool covers(const Range& range, int from, int to) const;

  const CostGraph& costs_;
  const AtlasRanges& ranges_;
  std::size_t columns_ = 1;
  std::vector<std::size_t> first_column_;
};

}  // namespace adamec::plan
