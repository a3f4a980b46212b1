#include "adamec/plan/explain/explain_limits.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/explain/explain.h"

namespace adamec::plan {
namespace {

// Of every search for a changed condition; each is one of a dozen.
constexpr std::int64_t kWork = 4'000'000;
constexpr double kWorthSaying = 1e-3;  // share of the latency
constexpr double kMostFactor = 1e4;    // of a bandwidth or a speed that is still worth naming

std::optional<Plan> plan_for(const CostGraph& costs) {
  SearchLimits limits;
  limits.work = kWork;
  try {
    return find_optimal(Evaluator(costs), limits);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInfeasible) throw;
    return std::nullopt;
  }
}

using Change = std::function<void(CostGraph&)>;

std::optional<Plan> plan_after(const CostGraph& costs, const Change& change) {
  CostGraph other = costs;
  change(other);
  return plan_for(other);
}

std::string tier_name(const CostGraph& costs, int tier) {
  return "'" + printable(costs.tiers[tier].name) + "'";
}

void scale_bandwidth(CostGraph& costs, double factor) {
  for (auto& link : costs.links) {
    if (link) link->bytes_per_second *= factor;
  }
}

void scale_speed(CostGraph& costs, int tier, double factor) {
  for (AtomCost& atom : costs.atoms) atom.latency_ms[tier] /= factor;
}

void allow_all(CostGraph& costs) {
  for (AtomCost& atom : costs.atoms) std::fill(atom.allowed.begin(), atom.allowed.end(), 1);
}

bool has_restrictions(const CostGraph& costs) {
  return std::any_of(costs.atoms.begin(), costs.atoms.end(), [](const AtomCost& atom) {
    return std::find(atom.allowed.begin(), atom.allowed.end(), 0) != atom.allowed.end();
  });
}

bool has_links(const CostGraph& costs) {
  return std::any_of(costs.links.begin(), costs.links.end(),
                     [](const auto& link) { return link.has_value(); });
}

struct Condition {
  std::string name;  // "twice the bandwidth"
  std::string what;  // "bandwidth"
  Change change;
};

// Everything that could be better, in the order in which it is told.
std::vector<Condition> conditions(const CostGraph& costs) {
  std::vector<Condition> result;
  const int tiers = costs.tier_count();
  for (int from = 0; from < tiers; ++from) {
    for (int to = 0; to < tiers; ++to) {
      if (!costs.link(from, to)) continue;
      const std::string link =
          fmt::format("from {} to {}", tier_name(costs, from), tier_name(costs, to));
      const std::size_t index = static_cast<std::size_t>(from) * tiers + to;
      result.push_back({"twice the bandwidth " + link, "the bandwidth " + link,
                        [index](CostGraph& other) { other.links[index]->bytes_per_second *= 2; }});
    }
  }
  const bool moves_cost = std::any_of(costs.links.begin(), costs.links.end(), [](const auto& link) {
    return link && link->latency_ms > 0;
  });
  if (moves_cost) {
    result.push_back(
        {"half the latency of the links", "the latency of the links", [](CostGraph& other) {
           for (auto& link : other.links) {
             if (link) link->latency_ms /= 2;
           }
         }});
  }
  for (int tier = 0; tier < tiers; ++tier) {
    const std::string name = tier_name(costs, tier);
    result.push_back({name + " twice as fast", "the speed of " + name,
                      [tier](CostGraph& other) { scale_speed(other, tier, 2); }});
    if (costs.tiers[tier].memory_bytes == 0) continue;
    result.push_back({"unlimited memory on " + name, "the memory of " + name,
                      [tier](CostGraph& other) { other.tiers[tier].memory_bytes = 0; }});
  }
  if (has_restrictions(costs))
    result.push_back({"all atoms free to run anywhere", "the pins", allow_all});
  return result;
}

// The smallest factor that makes `latency(factor)` at most `deadline`, to within a percent.
std::optional<double> least_factor(const std::function<double(double)>& latency, double deadline) {
  if (latency(kMostFactor) > deadline) return std::nullopt;
  double low = 1;
  double high = kMostFactor;
  while (high / low > 1.01) {
    const double middle = std::sqrt(low * high);
    (latency(middle) <= deadline ? high : low) = middle;
  }
  return high;
}

double latency_after(const CostGraph& costs, const Change& change) {
  const auto plan = plan_after(costs, change);
  return plan ? plan->evaluation.latency_ms : INFINITY;
}

// What would have to be better, and by which factor, for the deadline to be met.
std::vector<std::string> explain_deadline(const CostGraph& costs, const Plan& fastest,
                                          double deadline_ms) {
  std::vector<std::string> sentences{
      fmt::format("The deadline makes it impossible: the fastest plan takes {}, {} more than {}.",
                  format_ms(fastest.evaluation.latency_ms),
                  format_ms(fastest.evaluation.latency_ms - deadline_ms), format_ms(deadline_ms))};
  const auto tell = [&](const std::string& what,
                        const std::function<void(CostGraph&, double)>& scale) {
    const auto latency = [&](double factor) {
      return latency_after(costs, [&](CostGraph& other) { scale(other, factor); });
    };
    const auto factor = least_factor(latency, deadline_ms);
    sentences.push_back(
        factor ? fmt::format("With {} {:.3g} times as high it would be met.", what, *factor)
               : fmt::format("No {} is high enough: {} remain.", what,
                             format_ms(latency(kMostFactor))));
  };
  if (has_links(costs)) tell("bandwidth", scale_bandwidth);
  for (int tier = 0; tier < costs.tier_count(); ++tier) {
    tell("speed of " + tier_name(costs, tier),
         [tier](CostGraph& other, double factor) { scale_speed(other, tier, factor); });
  }
  for (const Condition& condition : conditions(costs)) {
    const bool limit =
        condition.what.find("memory") != std::string::npos || condition.what == "the pins";
    if (!limit) continue;
    const double latency = latency_after(costs, condition.change);
    sentences.push_back(fmt::format("With {} the fastest plan would take {}{}.", condition.name,
                                    format_ms(latency),
                                    latency <= deadline_ms ? " and meet it" : ""));
  }
  return sentences;
}

// The least memory of the tier for which there is a plan, to within a percent of what is missing.
std::uint64_t least_memory(const CostGraph& costs, int tier, std::uint64_t enough) {
  std::uint64_t low = costs.tiers[tier].memory_bytes;
  std::uint64_t high = enough;
  const std::uint64_t precision = std::max<std::uint64_t>((high - low) / 100, 1);
  while (high - low > precision) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto plan =
        plan_after(costs, [&](CostGraph& other) { other.tiers[tier].memory_bytes = middle; });
    (plan ? high : low) = middle;
    if (plan) high = std::min(high, std::max(plan->evaluation.memory_bytes[tier], low + 1));
  }
  return high;
}

std::vector<std::string> explain_memory(const CostGraph& costs) {
  std::vector<std::string> sentences;
  for (int tier = 0; tier < costs.tier_count(); ++tier) {
    const std::uint64_t memory = costs.tiers[tier].memory_bytes;
    if (memory == 0) continue;
    const auto plan =
        plan_after(costs, [&](CostGraph& other) { other.tiers[tier].memory_bytes = 0; });
    if (!plan) {
      sentences.push_back(
          fmt::format("More memory on {} alone would not help.", tier_name(costs, tier)));
      continue;
    }
    const std::uint64_t least = least_memory(costs, tier, plan->evaluation.memory_bytes[tier]);
    sentences.push_back(fmt::format(
        "The memory of {} makes it impossible: about {} would do, {} more than the {} it has; the "
        "fastest plan of all needs {} there and takes {}.",
        tier_name(costs, tier), format_bytes(least), format_bytes(least - memory),
        format_bytes(memory), format_bytes(plan->evaluation.memory_bytes[tier]),
        format_ms(plan->evaluation.latency_ms)));
  }
  return sentences;
}

}  // namespace

std::vector<std::string> explain_limits(const CostGraph& costs, const Plan& plan) {
  const double now = plan.evaluation.latency_ms;
  std::vector<std::string> sentences;
  double least = now;
  std::string limit;
  std::string savings;
  for (const Condition& condition : conditions(costs)) {
    const double after = latency_after(costs, condition.change);
    if (!(after < now * (1 - kWorthSaying))) continue;
    savings += fmt::format("{} {} ({:.1f} % less)", savings.empty() ? "" : ",",
                           condition.name + ": " + format_ms(after), 100 * (1 - after / now));
    if (after < least) {
      least = after;
      limit = condition.what;
    }
  }
  if (limit.empty())
    return {
        "No single condition limits the plan: none of bandwidth, latency, "
        "speed, memory and pins would make it faster when relaxed."};
  sentences.push_back("What limits the plan most is " + limit + ".");
  sentences.push_back("The best plan would take, with" + savings + ".");
  return sentences;
}

std::vector<std::string> explain_infeasible(const CostGraph& costs,
                                            std::optional<double> deadline_ms) {
  if (const auto fastest = plan_for(costs)) {
    if (deadline_ms && fastest->evaluation.latency_ms > *deadline_ms) {
      return explain_deadline(costs, *fastest, *deadline_ms);
    }
    return {};
  }
  std::vector<std::string> sentences = explain_memory(costs);
  const auto relaxed = [&](const char* what, const Change& change) {
    const auto plan = plan_after(costs, change);
    if (!plan) return false;
    sentences.push_back(
        fmt::format("{} makes it impossible: without, there is a plan that takes {}.", what,
                    format_ms(plan->evaluation.latency_ms)));
    return true;
  };
  const Change no_limits = [](CostGraph& other) {
    for (Tier& tier : other.tiers) tier.memory_bytes = 0;
  };
  if (has_restrictions(costs)) relaxed("Where atoms may run (pins)", allow_all);
  const bool limited = std::any_of(costs.tiers.begin(), costs.tiers.end(),
                                   [](const Tier& tier) { return tier.memory_bytes > 0; });
  if (limited && costs.tier_count() > 1) relaxed("Memory, that of all tiers together,", no_limits);
  if (sentences.empty()) {
    sentences.push_back(
        "A missing link makes it impossible: atoms or results are bound to a tier "
        "that control or tensors cannot reach.");
  }
  return sentences;
}

}  // namespace adamec::plan
