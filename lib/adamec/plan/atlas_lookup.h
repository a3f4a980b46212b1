#pragma once

#include <cstddef>
#include <cstdint>

// Which plan of an atlas to use now: for run times that embed this header. It needs nothing but the
// two standard headers above, allocates nothing and never throws; a look-up among a hundred plans
// takes less than a microsecond. The arrays belong to someone else: AtlasTable (atlas_table.h)
// makes them from an atlas file, `adamec-plan --format header` writes them as C++ source.
//
//   const double values[] = {2.5e6, 0.4};  // as in the atlas' ranges: bytes per second, load
//   const adamec::plan::Advice advice = adamec::plan::advise(table, values, current);
//   if (advice.change) load_plan(current = advice.plan);
namespace adamec::plan {

struct LookupRange {
  enum Kind : std::uint32_t {
    kReciprocal,  // bandwidth, bytes per second
    kLinear,      // latency in milliseconds, slowdown
    kKnots,       // load: linear between knots
    kMemory,      // bytes
  };
  Kind kind;
  std::uint32_t column;      // of its first feature
  std::uint32_t knot_count;  // kKnots: at least 2
  const double* knots;       // kKnots: ascending
  double low;                // values outside are taken for the nearer end
  double high;
};

// Plans are padded to a multiple of kLookupWidth, so that compilers can use vector instructions.
inline constexpr std::size_t kLookupWidth = 4;
inline constexpr std::size_t kLookupMaxTerms = 16;  // 1 + two per range, and then some

struct LookupTable {
  std::uint32_t plan_count;
  std::uint32_t stride;  // plan_count, padded
  std::uint32_t range_count;
  const LookupRange* ranges;
  const double* features;  // [column * stride + plan], milliseconds per unit of weight
  const double* needs;     // [plan]: bytes of the tier whose memory is a range; null: no such range
  const double* switch_ms;  // [from * stride + to]: loading what is new; null: takes no time
  double runs;              // of the model, for which a context is expected to last
};

struct Advice {
  int plan;           // the one to use; -1: none fits into memory
  double latency_ms;  // of that plan, now
  double gain_ms;     // what it saves against the current plan in `runs` runs, less the loading
  bool change;        // whether it differs from the current one
};

namespace lookup {

struct Terms {
  std::size_t count;
  std::uint32_t column[kLookupMaxTerms];
  double weight[kLookupMaxTerms];
  double memory;  // negative: no matter

  void add(std::uint32_t at, double value) {
    if (count == kLookupMaxTerms) return;
    column[count] = at;
    weight[count++] = value;
  }
};

[[nodiscard]] inline Terms terms(const LookupTable& table, const double* values) {
  Terms result;
  result.count = 0;
  result.memory = -1;
  result.add(0, 1.0);
  for (std::uint32_t i = 0; i < table.range_count; ++i) {
    const LookupRange& range = table.ranges[i];
    double value = values[i];
    if (!(value >= range.low)) value = range.low;  // also when it is not a number
    if (value > range.high && range.kind != LookupRange::kMemory) value = range.high;
    switch (range.kind) {
      case LookupRange::kReciprocal:
        result.add(range.column, 1e3 / value);
        break;
      case LookupRange::kLinear:
        result.add(range.column, value);
        break;
      case LookupRange::kKnots: {
        std::uint32_t knot = 0;
        while (knot + 2 < range.knot_count && value >= range.knots[knot + 1]) ++knot;
        const double low = range.knots[knot];
        const double share = (value - low) / (range.knots[knot + 1] - low);
        result.add(range.column + knot, 1 - share);
        result.add(range.column + knot + 1, share);
        break;
      }
      case LookupRange::kMemory:
        result.memory = values[i] >= 0 ? values[i] : 0;
        break;
    }
  }
  return result;
}

[[nodiscard]] inline bool fits(const LookupTable& table, const Terms& terms, std::size_t plan) {
  return terms.memory < 0 || table.needs == nullptr || table.needs[plan] <= terms.memory;
}

[[nodiscard]] inline double latency_ms(const LookupTable& table, const Terms& terms,
                                       std::size_t plan) {
  double sum = 0;
  for (std::size_t k = 0; k < terms.count; ++k) {
    sum += terms.weight[k] * table.features[terms.column[k] * std::size_t{table.stride} + plan];
  }
  return sum;
}

}  // namespace lookup

// Milliseconds of a plan at `values`, one per range.
[[nodiscard]] inline double latency_ms(const LookupTable& table, const double* values, int plan) {
  return lookup::latency_ms(table, lookup::terms(table, values), static_cast<std::size_t>(plan));
}

// The plan to use at `values`, one per range, when `current` is loaded (-1: none is). A different
// one is advised only when it saves more in table.runs runs than it takes to load, or when the
// current one no longer fits into memory.
[[nodiscard]] inline Advice advise(const LookupTable& table, const double* values, int current) {
  const lookup::Terms terms = lookup::terms(table, values);
  const std::size_t stride = table.stride;
  const bool loaded = current >= 0 && static_cast<std::uint32_t>(current) < table.plan_count;
  const double* const loading =
      loaded && table.switch_ms != nullptr ? table.switch_ms + current * stride : nullptr;
  Advice best = {-1, 0, 0, false};
  double best_cost = 0;
  for (std::size_t first = 0; first < table.plan_count; first += kLookupWidth) {
    double sum[kLookupWidth] = {};
    for (std::size_t k = 0; k < terms.count; ++k) {
      const double* const column = table.features + terms.column[k] * stride + first;
      for (std::size_t j = 0; j < kLookupWidth; ++j) sum[j] += terms.weight[k] * column[j];
    }
    for (std::size_t j = 0; j < kLookupWidth && first + j < table.plan_count; ++j) {
      if (!lookup::fits(table, terms, first + j)) continue;
      const double cost = sum[j] * table.runs + (loading != nullptr ? loading[first + j] : 0);
      if (best.plan >= 0 && !(cost < best_cost)) continue;
      best.plan = static_cast<int>(first + j);
      best.latency_ms = sum[j];
      best_cost = cost;
    }
  }
  if (best.plan < 0) return best;
  if (!loaded || !lookup::fits(table, terms, static_cast<std::size_t>(current))) {
    best.change = best.plan != current;
    return best;
  }
  const double stay = lookup::latency_ms(table, terms, static_cast<std::size_t>(current));
  best.gain_ms = stay * table.runs - best_cost;
  best.change = best.plan != current && best.gain_ms > 0;
  if (!best.change) best = {current, stay, 0, false};
  return best;
}

}  // namespace adamec::plan
