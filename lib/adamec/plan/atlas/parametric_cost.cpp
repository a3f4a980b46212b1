#include "adamec/plan/atlas/parametric_cost.h"

#include <algorithm>
#include <utility>

#include "adamec/base/error.h"

namespace adamec::plan {
namespace {

constexpr double kMsPerSecond = 1e3;

// Share of the way from knot `i` to the next at `value`; the last knot's segment ends with it.
struct Between {
  std::size_t knot;
  double share;
};

Between between(const std::vector<double>& knots, double value) {
  const auto after = std::upper_bound(knots.begin(), knots.end(), value);
  const auto last = static_cast<std::ptrdiff_t>(knots.size()) - 2;
  const auto at = std::clamp<std::ptrdiff_t>(after - knots.begin() - 1, 0, last);
  const double width = knots[at + 1] - knots[at];
  return {static_cast<std::size_t>(at), std::clamp((value - knots[at]) / width, 0.0, 1.0)};
}

// Calls on_hop(from, to) for every link that control passes.
template <typename OnHop>
void for_each_move(const Evaluator& evaluator, const Placement& placement, OnHop on_hop) {
  const ControlGraph& control = evaluator.control();
  const TierRoutes& routes = evaluator.routes();
  const Schedule schedule = cheapest_schedule(control, evaluator.costs(), placement);
  int tier = control.start_tier();
  const auto go = [&](int to) {
    while (tier != to) {
      const int next = routes.move_next(tier, to);
      on_hop(tier, next);
      tier = next;
    }
  };
  for (const Stop& stop : schedule.stops) go(stop.tier);
  if (control.end_tier() >= 0) go(control.end_tier());
}

}  // namespace

AtlasModel::AtlasModel(const CostGraph& costs, const AtlasRanges& ranges)
    : costs_(costs), ranges_(ranges) {
  for (const Range& range : ranges.ranges) {
    first_column_.push_back(columns_);
    if (!range.is_memory()) columns_ += std::max<std::size_t>(range.knots.size(), 1);
  }
}

double AtlasModel::coordinate(const Range& range, double value) {
  return range.quantity == v1::AtlasRange::BANDWIDTH ? kMsPerSecond / value : value;
}

double AtlasModel::value(const Range& range, double coordinate) {
  return AtlasModel::coordinate(range, coordinate);  // its own inverse
}

const Link& AtlasModel::reference_link(const Range& range) const {
  if (range.from >= 0) return *costs_.link(range.from, range.to);
  return **std::find_if(costs_.links.begin(), costs_.links.end(),
                        [](const auto& link) { return link.has_value(); });
}

bool AtlasModel::covers(const Range& range, int from, int to) const {
  return range.from < 0 || (range.from == from && range.to == to);
}

// Everything is taken from the costs as they were given, so that a plan has the same features
// wherever it is found; only the ways of tensors and control are those at the point.
std::vector<double> AtlasModel::features(const Evaluator& at, const Placement& placement) const {
  const Evaluation evaluation = at.evaluate(placement);
  std::vector<double> result(columns_, 0);
  std::vector<double> compute(costs_.tiers.size(), 0);
  for (std::size_t atom = 0; atom < placement.size(); ++atom) {
    compute[placement[atom]] += costs_.atoms[atom].latency_ms[placement[atom]];
  }
  std::vector<char> fixed(evaluation.transfers.size(), 1);
  std::vector<int> passes(costs_.links.size(), 0);  // of control, per link
  const std::size_t tiers = costs_.tiers.size();
  for_each_move(at, placement, [&](int from, int to) { ++passes[from * tiers + to]; });
  for (std::size_t i = 0; i < ranges_.ranges.size(); ++i) {
    const Range& range = ranges_.ranges[i];
    double* const column = result.data() + first_column_[i];
    if (range.quantity == v1::AtlasRange::BANDWIDTH) {
      const double reference = reference_link(range).bytes_per_second;
      for (std::size_t k = 0; k < fixed.size(); ++k) {
        const Transfer& transfer = evaluation.transfers[k];
        if (!covers(range, transfer.from, transfer.to)) continue;
        const double rate = costs_.link(transfer.from, transfer.to)->bytes_per_second;
        *column += static_cast<double>(transfer.bytes) * (reference / rate);
        fixed[k] = 0;
      }
    } else if (range.quantity == v1::AtlasRange::LATENCY) {
      for (std::size_t link = 0; link < passes.size(); ++link) {
        if (!covers(range, static_cast<int>(link / tiers), static_cast<int>(link % tiers)))
          continue;
        *column += std::exchange(passes[link], 0);
      }
    } else if (range.quantity == v1::AtlasRange::SLOWDOWN) {
      *column = std::exchange(compute[range.tier], 0) / range.base;
    } else if (range.quantity == v1::AtlasRange::LOAD) {
      for (std::size_t knot = 0; knot < range.knots.size(); ++knot) {
        for (std::size_t atom = 0; atom < placement.size(); ++atom) {
          if (placement[atom] == range.tier) column[knot] += range.knot_ms[knot][atom];
        }
      }
      compute[range.tier] = 0;
    }
  }
  for (double ms : compute) result[0] += ms;
  for (const Block& block : evaluation.blocks) {
    result[0] += costs_.tiers[block.tier].block_overhead_ms;
  }
  for (std::size_t link = 0; link < passes.size(); ++link) {
    if (passes[link] > 0) result[0] += passes[link] * costs_.links[link]->latency_ms;
  }
  for (std::size_t k = 0; k < fixed.size(); ++k) {
    if (!fixed[k]) continue;
    const Transfer& transfer = evaluation.transfers[k];
    result[0] += costs_.link(transfer.from, transfer.to)->transfer_ms(transfer.bytes);
  }
  return result;
}

std::vector<double> AtlasModel::weights(std::span<const double> values) const {
  std::vector<double> result(columns_, 0);
  result[0] = 1;
  for (std::size_t i = 0; i < ranges_.ranges.size(); ++i) {
    const Range& range = ranges_.ranges[i];
    if (range.is_memory()) continue;
    if (range.knots.empty()) {
      result[first_column_[i]] = coordinate(range, values[i]);
    } else {
      const Between at = between(range.knots, values[i]);
      result[first_column_[i] + at.knot] = 1 - at.share;
      result[first_column_[i] + at.knot + 1] = at.share;
    }
  }
  return result;
}

void AtlasModel::apply(std::span<const double> values, CostGraph& costs) const {
  const int tiers = costs_.tier_count();
  for (std::size_t i = 0; i < ranges_.ranges.size(); ++i) {
    const Range& range = ranges_.ranges[i];
    if (range.is_memory()) {
      costs.tiers[range.tier].memory_bytes = static_cast<std::uint64_t>(values[i]);
    } else if (range.tier < 0) {
      for (int link = 0; link < tiers * tiers; ++link) {
        if (!costs.links[link] || !covers(range, link / tiers, link % tiers)) continue;
        if (range.quantity == v1::AtlasRange::LATENCY) {
          costs.links[link]->latency_ms = values[i];
        } else {
          const double scale = values[i] / reference_link(range).bytes_per_second;
          costs.links[link]->bytes_per_second = costs_.links[link]->bytes_per_second * scale;
        }
      }
    } else if (range.quantity == v1::AtlasRange::SLOWDOWN) {
      for (std::size_t atom = 0; atom < costs.atoms.size(); ++atom) {
        const double base_ms = costs_.atoms[atom].latency_ms[range.tier] / range.base;
        costs.atoms[atom].latency_ms[range.tier] = base_ms * values[i];
      }
    } else {
      const Between at = between(range.knots, values[i]);
      for (std::size_t atom = 0; atom < costs.atoms.size(); ++atom) {
        costs.atoms[atom].latency_ms[range.tier] = range.knot_ms[at.knot][atom] * (1 - at.share) +
                                                   range.knot_ms[at.knot + 1][atom] * at.share;
      }
    }
  }
}

}  // namespace adamec::plan
