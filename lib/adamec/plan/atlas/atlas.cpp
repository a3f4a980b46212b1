#include "adamec/plan/atlas/atlas.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "adamec/base/error.h"
#include "adamec/plan/atlas/cover.h"
#include "adamec/plan/search/branch_and_bound.h"
#include "adamec/plan/search/shared_state.h"

namespace adamec::plan {
namespace {

constexpr double kMemorySteps = 64;

using Covered = AtlasCover::Covered;

class AtlasBuilder {
 public:
  AtlasBuilder(const CostGraph& costs, const AtlasRanges& ranges, const AtlasLimits& limits)
      : ranges_(ranges), cover_(costs, ranges, limits), cells_(cover_.cells()) {}

  Atlas build() {
    if (cover_.memory_tier() < 0) {
      slab_ = cover_all(0);
      keep(slab_);
    } else {
      cover_memory();
    }
    finish();
    return std::move(atlas_);
  }

 private:
  struct Slab {
    std::vector<Covered> cells;
    double gap = 0;
    double needs = 0;  // bytes into which all of its plans fit
  };

  Slab cover_all(double memory) {
    Slab slab;
    for (const AtlasCover::Cell& cell : cells_) {
      slab.cells.push_back(cover_.cover(cell, memory));
      slab.gap = std::max(slab.gap, slab.cells.back().gap);
    }
    return slab;
  }

  // Planes that are lowest somewhere: those with enough vertices for a facet.
  static std::vector<int> facets(const Covered& covered) {
    std::vector<std::size_t> count(covered.plans.size(), 0);
    for (const auto* vertex : covered.envelope.vertices()) {
      for (int plane : covered.envelope.planes_at(*vertex)) ++count[plane];
    }
    std::vector<int> result;
    for (std::size_t i = 0; i < count.size(); ++i) {
      if (count[i] > covered.envelope.dimensions()) result.push_back(static_cast<int>(i));
    }
    return result;
  }

  // Marks the slab's plans as used, and where.
  void keep(Slab& slab) {
    atlas_.gap = std::max(atlas_.gap, slab.gap);
    where_.resize(cover_.plans().size());
    used_.resize(cover_.plans().size(), 0);
    for (const Covered& covered : slab.cells) {
      for (int plane : facets(covered)) {
        const int plan = covered.plans[plane];
        used_[plan] = 1;
        for (const auto* vertex : covered.envelope.vertices()) {
          const auto planes = covered.envelope.planes_at(*vertex);
          if (std::find(planes.begin(), planes.end(), plane) == planes.end()) continue;
          widen(where_[plan], vertex->at);
        }
        if (cover_.memory_tier() < 0) continue;
        const auto bytes = cover_.plans()[plan].memory_bytes[cover_.memory_tier()];
        slab.needs = std::max(slab.needs, static_cast<double>(bytes));
      }
    }
  }

  void widen(std::vector<Interval>& where, const std::vector<double>& at) const {
    const bool first = where.empty();
    where.resize(at.size());
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double value = AtlasModel::value(ranges_.ranges[cover_.linear()[i]], at[i]);
      where[i].low = first ? value : std::min(where[i].low, value);
      where[i].high = first ? value : std::max(where[i].high, value);
    }
  }

  // From the most memory downwards. A slab's plans are optimal for all memory they fit into; where
  // the next slab begins lower than that, its plans fill the space, with a gap to this slab's.
  void cover_memory() {
    const Range& range =
        *std::find_if(ranges_.ranges.begin(), ranges_.ranges.end(),
                      [](const Range& candidate) { return candidate.is_memory(); });
    const double step = std::floor((range.high - range.low) / kMemorySteps);
    double too_small = range.low - 1;  // no plan fits
    double at = range.high;
    slab_ = cover_all(at);
    keep(slab_);
    while (slab_.needs - 1 > too_small) {
      double next = std::max(too_small + 1, std::min(slab_.needs - 1, at - step));
      std::optional<Slab> below;
      while (!(below = try_slab(next))) {
        too_small = next;
        atlas_.fits_from_bytes = slab_.needs;
        if (slab_.needs - 1 <= too_small) return;
        next = std::ceil((too_small + slab_.needs) / 2);
        if (next >= slab_.needs) return;
      }
      if (next < slab_.needs - 1) atlas_.gap = std::max(atlas_.gap, gap_between(*below, slab_));
      keep(*below);
      slab_ = std::move(*below);
      at = next;
    }
  }

  std::optional<Slab> try_slab(double memory) {
    try {
      return cover_all(memory);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInfeasible) throw;
      return std::nullopt;
    }
  }

  static double gap_between(const Slab& below, const Slab& above) {
    double gap = 0;
    for (std::size_t i = 0; i < below.cells.size(); ++i) {
      const Covered& lower = above.cells[i];
      for (const auto* vertex : below.cells[i].envelope.vertices()) {
        double least = INFINITY;
        for (std::size_t plane = 0; plane < lower.envelope.plane_count(); ++plane) {
          least = std::min(least, lower.envelope.height(plane, vertex->at));
        }
        const double bound = least / (1 + lower.gap);
        if (vertex->height > bound) gap = std::max(gap, vertex->height / bound - 1);
      }
    }
    return gap;
  }

  void finish() {
    std::vector<int> used;
    for (std::size_t i = 0; i < where_.size(); ++i) {
      if (used_[i]) used.push_back(static_cast<int>(i));
    }
    std::stable_sort(used.begin(), used.end(), [&](int a, int b) {
      for (std::size_t i = 0; i < where_[a].size(); ++i) {
        const Interval& x = where_[a][i];
        const Interval& y = where_[b][i];
        if (x.low != y.low) return x.low < y.low;
        if (x.high != y.high) return x.high < y.high;
      }
      return false;
    });
    number_.assign(cover_.plans().size(), -1);
    for (int plan : used) {
      number_[plan] = static_cast<int>(atlas_.plans.size());
      atlas_.plans.push_back(cover_.plans()[plan]);
      atlas_.plans.back().where = all_ranges(where_[plan], atlas_.plans.back());
    }
    if (cover_.memory_tier() < 0 && cover_.linear().size() == 1) add_regions();
    atlas_.searches = cover_.searches();
  }

  // Adds the interval of memory to those of the linear ranges.
  std::vector<Interval> all_ranges(const std::vector<Interval>& linear,
                                   const AtlasPlan& plan) const {
    std::vector<Interval> result(ranges_.ranges.size());
    for (std::size_t i = 0; i < linear.size(); ++i) result[cover_.linear()[i]] = linear[i];
    for (std::size_t i = 0; i < result.size(); ++i) {
      const Range& range = ranges_.ranges[i];
      if (!range.is_memory()) continue;
      const double needs = static_cast<double>(plan.memory_bytes[range.tier]);
      result[i] = {std::max(needs, range.low), range.high};
    }
    return result;
  }

  void add_regions() {
    for (const Covered& covered : slab_.cells) add_regions(covered);
    const Range& range = ranges_.ranges[0];
    if (range.quantity == v1::AtlasRange::BANDWIDTH) {
      std::reverse(atlas_.regions.begin(), atlas_.regions.end());
      for (AtlasRegion& region : atlas_.regions) std::swap(region.low, region.high);
    }
    atlas_.regions.front().low = range.low;
    atlas_.regions.back().high = range.high;
    // The same breakpoints to the last digit; a plan has several regions only across knots.
    std::vector<char> seen(atlas_.plans.size(), 0);
    for (const AtlasRegion& region : atlas_.regions) {
      Interval& where = atlas_.plans[region.plan].where[0];
      where = {std::exchange(seen[region.plan], 1) ? where.low : region.low, region.high};
    }
  }

  void add_regions(const Covered& covered) {
    const Envelope& envelope = covered.envelope;
    const Range& range = ranges_.ranges[0];
    // Along one parameter a facet's middle tells where it is among the others.
    std::vector<std::pair<double, int>> order;
    for (int plane : facets(covered)) {
      double low = INFINITY;
      for (const auto* vertex : envelope.vertices()) {
        const auto planes = envelope.planes_at(*vertex);
        if (std::find(planes.begin(), planes.end(), plane) == planes.end()) continue;
        low = std::min(low, vertex->at[0]);
      }
      order.push_back({low, plane});
    }
    std::sort(order.begin(), order.end());
    double at = covered.cell.low[0];
    for (std::size_t i = 0; i < order.size(); ++i) {
      double end = covered.cell.high[0];
      if (i + 1 < order.size()) {
        const auto& left = envelope.plane(order[i].second);
        const auto& right = envelope.plane(order[i + 1].second);
        end = (right[0] - left[0]) / (left[1] - right[1]);
      }
      const int plan = number_[covered.plans[order[i].second]];
      const double from = AtlasModel::value(range, at);
      const double to = AtlasModel::value(range, end);
      if (!atlas_.regions.empty() && atlas_.regions.back().plan == plan) {
        atlas_.regions.back().high = to;
      } else {
        atlas_.regions.push_back({from, to, plan});
      }
      at = end;
    }
  }

  const AtlasRanges& ranges_;
  AtlasCover cover_;
  std::vector<AtlasCover::Cell> cells_;
  Slab slab_;                                 // the last one
  std::vector<char> used_;                    // per plan of the cover
  std::vector<std::vector<Interval>> where_;  // per plan of the cover, per linear range
  std::vector<int> number_;                   // per plan of the cover: its number in the atlas
  Atlas atlas_;
};

}  // namespace

Atlas make_atlas(const CostGraph& costs, const AtlasRanges& ranges, const AtlasLimits& limits) {
  if (has_alternatives(costs)) {
    const int tier =
        find_optimal(Evaluator(costs), limits.search).placement[costs.shared_state.front()];
    Atlas atlas = AtlasBuilder(with_state_on(costs, tier), ranges, limits).build();
    atlas.state_tier = tier;
    return atlas;
  }
  return AtlasBuilder(costs, ranges, limits).build();
}

}  // namespace adamec::plan
