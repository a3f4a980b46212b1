#include <algorithm>
#include <cmath>
#include <functional>

#include "adamec/base/error.h"
#include "adamec/plan/atlas/parametric_cost.h"

namespace adamec::plan {
namespace {

constexpr double kMaxRate = 1e15;  // bytes per second
constexpr double kMaxMilliseconds = 1e12;
constexpr double kMaxFactor = 1e6;
constexpr double kMaxBytes = 0x1p50;

// What ranges may name.
struct Scope {
  std::vector<std::string> tiers;
  std::function<bool(int from, int to)> has_link;
  std::size_t latencies_per_knot;
  std::function<double(int tier)> block_overhead_ms;  // where knots do not say
};

class RangeChecker {
 public:
  RangeChecker(const Scope& scope, const std::string& source) : scope_(scope), source_(source) {}

  AtlasRanges check(const v1::AtlasRanges& message) {
    for (const v1::AtlasRange& range : message.ranges()) add(range);
    if (ranges_.ranges.empty())
      fail(
          "{}: atlas: no ranges, so nothing changes; expected bandwidth, latency, load, slowdown "
          "or memory",
          source_);
    check_together();
    ranges_.load_rates.assign(scope_.tiers.size(), 0);
    for (const auto& rate : message.load_rates()) {
      field_ = "atlas.load_rates";
      double& slot = ranges_.load_rates[tier(rate.tier())];
      if (slot > 0) refuse(fmt::format("'{}' is listed twice", printable(rate.tier())));
      check_number(rate.bytes_per_second(), 1e-3, kMaxRate, "bytes per second");
      slot = rate.bytes_per_second();
    }
    field_ = "atlas.runs";
    if (message.runs() != 0) check_number(ranges_.runs = message.runs(), 1, 1e12, "runs");
    field_ = "atlas.tolerance";
    check_number(ranges_.tolerance = message.tolerance(), 0, 1, "a share");
    return std::move(ranges_);
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    fail("{}: {}: {}", source_, field_, reason);
  }

  void check_number(double value, double low, double high, const char* what) const {
    if (!(value >= low) || !(value <= high)) {
      refuse(fmt::format("{} is not {} (expected {:g} to {:g})", value, what, low, high));
    }
  }

  int tier(const std::string& name) const {
    const auto at = std::find(scope_.tiers.begin(), scope_.tiers.end(), name);
    if (at == scope_.tiers.end()) refuse(fmt::format("unknown tier '{}'", printable(name)));
    return static_cast<int>(at - scope_.tiers.begin());
  }

  void add(const v1::AtlasRange& message) {
    if (!v1::AtlasRange::Quantity_IsValid(message.quantity()) ||
        message.quantity() == v1::AtlasRange::QUANTITY_UNSPECIFIED) {
      fail("{}: atlas.ranges[{}].quantity: expected BANDWIDTH, LATENCY, LOAD, SLOWDOWN or MEMORY",
           source_, ranges_.ranges.size());
    }
    field_ = "atlas." + printable(range_name(message));
    Range range;
    range.quantity = message.quantity();
    range.low = message.low();
    range.high = message.high();
    const bool of_link =
        range.quantity == v1::AtlasRange::BANDWIDTH || range.quantity == v1::AtlasRange::LATENCY;
    if (of_link) {
      add_link(message, range);
    } else {
      range.tier = tier(message.tier());
    }
    check_bounds(range);
    if (range.quantity == v1::AtlasRange::SLOWDOWN && message.base() != 0) {
      check_number(range.base = message.base(), 1 / kMaxFactor, kMaxFactor, "a factor");
    }
    if (range.quantity == v1::AtlasRange::LOAD) add_knots(message, range);
    ranges_.ranges.push_back(std::move(range));
  }

  void add_link(const v1::AtlasRange& message, Range& range) {
    if (message.from().empty() && message.to().empty()) {
      const int tiers = static_cast<int>(scope_.tiers.size());
      for (int pair = 0; pair < tiers * tiers; ++pair) {
        if (scope_.has_link(pair / tiers, pair % tiers)) return;
      }
      refuse("there are no links");
    }
    range.from = tier(message.from());
    range.to = tier(message.to());
    if (range.from == range.to || !scope_.has_link(range.from, range.to)) {
      refuse(fmt::format("there is no link from '{}' to '{}'", printable(message.from()),
                         printable(message.to())));
    }
  }

  void check_bounds(const Range& range) const {
    const auto both = [&](double low, double high, const char* what) {
      check_number(range.low, low, high, what);
      check_number(range.high, low, high, what);
    };
    switch (range.quantity) {
      case v1::AtlasRange::BANDWIDTH:
        both(1e-3, kMaxRate, "a bandwidth in bytes per second");
        break;
      case v1::AtlasRange::LATENCY:
        both(0, kMaxMilliseconds, "a time in milliseconds");
        break;
      case v1::AtlasRange::LOAD:
        both(0, 1, "a load");
        break;
      case v1::AtlasRange::SLOWDOWN:
        both(1 / kMaxFactor, kMaxFactor, "a factor");
        break;
      default:
        both(1, kMaxBytes, "a number of bytes");
    }
    if (!(range.low < range.high)) {
      refuse(fmt::format("the range from {:g} to {:g} is empty", range.low, range.high));
    }
  }

  void add_knots(const v1::AtlasRange& message, Range& range) const {
    const auto count = static_cast<std::size_t>(message.knots_size());
    if (count < 2 || count > kMaxKnots) {
      refuse(fmt::format("{} knots (expected 2 to {})", count, kMaxKnots));
    }
    for (const auto& knot : message.knots()) {
      if (!range.knots.empty() && !(knot.load() > range.knots.back())) {
        refuse("the loads of its knots do not ascend");
      }
      range.knots.push_back(knot.load());
      if (static_cast<std::size_t>(knot.latency_ms_size()) != scope_.latencies_per_knot) {
        refuse(fmt::format("{} latencies at load {:g}, expected {}, one per atom",
                           knot.latency_ms_size(), knot.load(), scope_.latencies_per_knot));
      }
      for (double ms : knot.latency_ms()) {
        check_number(ms, 0, kMaxMilliseconds, "a time in milliseconds");
      }
      range.knot_ms.emplace_back(knot.latency_ms().begin(), knot.latency_ms().end());
      const double overhead_ms = knot.has_block_overhead_ms()
                                     ? knot.block_overhead_ms()
                                     : scope_.block_overhead_ms(range.tier);
      check_number(overhead_ms, 0, kMaxMilliseconds, "a time in milliseconds");
      range.knot_overhead_ms.push_back(overhead_ms);
    }
    if (range.knots.front() != range.low || range.knots.back() != range.high) {
      refuse("the first and the last knot are not at the ends of the range");
    }
  }

  // Two ranges must not change the same number, or latencies would not be linear.
  void check_together() {
    std::size_t linear = 0;
    std::size_t memory = 0;
    for (std::size_t i = 0; i < ranges_.ranges.size(); ++i) {
      const Range& range = ranges_.ranges[i];
      (range.is_memory() ? memory : linear) += 1;
      for (std::size_t k = 0; k < i; ++k) {
        if (overlap(range, ranges_.ranges[k])) {
          fail("{}: atlas: two ranges change the {} of the same {}", source_,
               range.tier >= 0 ? "speed" : "same quantity", range.tier >= 0 ? "tier" : "link");
        }
      }
    }
    if (linear > kMaxLinearRanges || memory > 1) {
      fail("{}: atlas: {} ranges, {} of them of memory (at most {}, and one of memory)", source_,
           linear + memory, memory, kMaxLinearRanges + 1);
    }
  }

  static bool overlap(const Range& a, const Range& b) {
    if (a.is_memory() != b.is_memory()) return false;
    if (a.tier >= 0 || b.tier >= 0) return a.tier == b.tier;
    if (a.quantity != b.quantity) return false;
    return a.from < 0 || b.from < 0 || (a.from == b.from && a.to == b.to);
  }

  const Scope& scope_;
  const std::string& source_;
  std::string field_;
  AtlasRanges ranges_;
};

}  // namespace

std::string range_name(const v1::AtlasRange& range) {
  std::string name = v1::AtlasRange::Quantity_Name(range.quantity());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!range.tier().empty()) name += " " + range.tier();
  if (!range.from().empty() || !range.to().empty()) name += " " + range.from() + "->" + range.to();
  return name;
}

AtlasRanges make_ranges(const v1::AtlasRanges& message, const CostGraph& costs,
                        const std::string& source) {
  Scope scope{{},
              [&](int from, int to) { return costs.link(from, to).has_value(); },
              costs.atoms.size(),
              [&](int tier) { return costs.tiers[tier].block_overhead_ms; }};
  for (const Tier& tier : costs.tiers) scope.tiers.push_back(tier.name);
  return RangeChecker(scope, source).check(message);
}

AtlasRanges make_ranges(const v1::Atlas& atlas, const std::string& source) {
  const Scope scope{{atlas.tiers().begin(), atlas.tiers().end()},
                    [](int, int) { return true; },
                    0,
                    [](int) { return 0.0; }};
  return RangeChecker(scope, source).check(atlas.ranges());
}

}  // namespace adamec::plan
