#include "adamec/plan/atlas_model.h"

#include <algorithm>
#include <cmath>

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

struct Move {
  int from;
  int to;
  int times;
};

// Two tiers: moves alternate, beginning where control starts.
std::vector<Move> moves(const Evaluator& evaluator, const Evaluation& evaluation) {
  const int start = evaluator.control().start_tier();
  std::vector<Move> result;
  if (evaluation.moves > 0) result.push_back({start, 1 - start, (evaluation.moves + 1) / 2});
  if (evaluation.moves > 1) result.push_back({1 - start, start, evaluation.moves / 2});
  return result;
}

}  // namespace

AtlasModel::AtlasModel(const CostGraph& costs, const AtlasRanges& ranges)
    : costs_(costs), ranges_(ranges), evaluator_(costs) {
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

std::vector<double> AtlasModel::features(const Placement& placement) const {
  const Evaluation evaluation = evaluator_.evaluate(placement);
  std::vector<double> result(columns_, 0);
  std::vector<double> compute = evaluation.compute_ms;
  std::vector<char> fixed(evaluation.transfers.size(), 1);
  double handoff = evaluation.handoff_ms;
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
      for (const Move& move : moves(evaluator_, evaluation)) {
        if (!covers(range, move.from, move.to)) continue;
        *column += move.times;
        handoff -= move.times * costs_.link(move.from, move.to)->latency_ms;
      }
    } else if (range.quantity == v1::AtlasRange::SLOWDOWN) {
      *column = compute[range.tier] / range.base;
      compute[range.tier] = 0;
    } else if (range.quantity == v1::AtlasRange::LOAD) {
      for (std::size_t knot = 0; knot < range.knots.size(); ++knot) {
        for (std::size_t atom = 0; atom < placement.size(); ++atom) {
          if (placement[atom] == range.tier) column[knot] += range.knot_ms[knot][atom];
        }
      }
      compute[range.tier] = 0;
    }
  }
  result[0] = std::max(handoff, 0.0);
  for (double ms : compute) result[0] += ms;
  for (std::size_t k = 0; k < fixed.size(); ++k) {
    if (fixed[k]) result[0] += evaluation.transfers[k].ms;
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
        costs.atoms[atom].latency_ms[range.tier] =
            range.knot_ms[at.knot][atom] * (1 - at.share) +
            range.knot_ms[at.knot + 1][atom] * at.share;
      }
    }
  }
}

}  // namespace adamec::plan
