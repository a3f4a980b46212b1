#include "adamec/plan/search/objective.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/search/bounds.h"
#include "adamec/plan/search/shared_state.h"

namespace adamec::plan {
namespace {

constexpr int kPriceProbes = 24;
constexpr double kJoule = 1e3;  // millijoules

// The measure's cost graph and what it says, kept together.
struct Scored {
  Scored(const CostGraph& costs, const Objective& objective)
      : graph(objective_costs(costs, objective)), evaluator(graph) {}
  Scored(const Scored&) = delete;
  CostGraph graph;
  Evaluator evaluator;
};

std::string format(Measure measure, double value) {
  if (measure == Measure::kMemory || measure == Measure::kBytes) {
    return format_bytes(static_cast<std::uint64_t>(std::llround(value)));
  }
  return fmt::format("{:.6g} {}", value, measure_unit(measure));
}

[[noreturn]] void fail_ceiling(const CostGraph& costs, const Ceiling& ceiling, double least,
                               bool proven) {
  if (ceiling.measure == Measure::kLatency) {
    fail_with(
        ErrorKind::kInfeasible,
        "{}: constraints.deadline: the {} plan takes {:.6g} ms, {:.6g} ms more than {:.6g} ms",
        costs.source, proven ? "fastest" : "best known", least, least - ceiling.at_most,
        ceiling.at_most);
  }
  fail_with(ErrorKind::kInfeasible, "{}: no plan keeps {} at {}: the least {} is {}, {} more",
            costs.source, measure_name(ceiling.measure), format(ceiling.measure, ceiling.at_most),
            proven ? "possible" : "known", format(ceiling.measure, least),
            format(ceiling.measure, least - ceiling.at_most));
}

// Chooses prices of ceilings so that the relaxation of the objective plus priced measures, less
// price times ceiling, is as high as may be; one ceiling after the other.
class CeilingPrices {
 public:
  CeilingPrices(const Evaluator& evaluator, const Objective& objective,
                const std::vector<Ceiling>& ceilings, const std::vector<int>& pins)
      : costs_(evaluator.costs()), objective_(objective), ceilings_(ceilings), pins_(pins) {
    prices_.assign(ceilings.size(), 0);
    for (std::size_t i = 0; i < ceilings.size(); ++i) improve(i);
  }

  const std::vector<double>& prices() const { return prices_; }

  Objective blended() const {
    Objective blend = objective_;
    for (std::size_t i = 0; i < prices_.size(); ++i) blend[ceilings_[i].measure] += prices_[i];
    return blend;
  }

 private:
  struct PriceLine {  // a relaxed placement's value as a function of the price
    double at_zero;
    double slope;
  };

  PriceLine probe(std::size_t index) {
    const Scored blend(costs_, blended());
    Bounds bounds(
        blend.evaluator, [](const Placement&) {}, [] { return false; });
    const auto result =
        bounds.tighten(pins_, bounds.initial_prices(), 4, std::numeric_limits<double>::infinity());
    const Scored measure(costs_, Objective::of(ceilings_[index].measure));
    const double used = measure.evaluator.cost(result.placement);
    const double value = blend.evaluator.cost(result.placement);
    return {value - prices_[index] * used, used - ceilings_[index].at_most};
  }

  // Where the lines of a placement above the ceiling and of one below it meet, until it stays.
  void improve(std::size_t index) {
    double& price = prices_[index];
    PriceLine low = probe(index);
    if (!(low.slope > 0)) return;
    PriceLine high = low;
    price = std::max(low.at_zero, 1e-9) / (low.slope + ceilings_[index].at_most + 1e-9);
    for (int i = 0; i < kPriceProbes && high.slope > 0; ++i) {
      high = probe(index);
      if (high.slope > 0) {
        low = high;
        price *= 4;
      }
    }
    if (high.slope > 0) return;
    for (int i = 0; i < kPriceProbes; ++i) {
      const double next = (high.at_zero - low.at_zero) / (low.slope - high.slope);
      if (!(next > 0) || !std::isfinite(next) || std::abs(next - price) < 1e-9 * next) break;
      price = next;
      const PriceLine line = probe(index);
      (line.slope > 0 ? low : high) = line;
    }
  }

  const CostGraph& costs_;
  const Objective& objective_;
  const std::vector<Ceiling>& ceilings_;
  const std::vector<int>& pins_;
  std::vector<double> prices_;
};

}  // namespace

const char* measure_name(Measure measure) {
  constexpr std::array<const char*, 4> kNames = {"latency", "energy", "memory", "bytes"};
  return kNames[static_cast<std::size_t>(measure)];
}

const char* measure_unit(Measure measure) {
  constexpr std::array<const char*, 4> kUnits = {"ms", "mJ", "bytes", "bytes"};
  return kUnits[static_cast<std::size_t>(measure)];
}

std::optional<Measure> find_measure(const std::string& name) {
  for (Measure measure : kMeasures) {
    if (name == measure_name(measure)) return measure;
  }
  return std::nullopt;
}

Objective Objective::of(Measure measure) {
  Objective objective;
  objective[measure] = 1;
  return objective;
}

std::array<double, 4> measure_all(const Evaluator& evaluator, const Evaluation& evaluation) {
  const CostGraph& costs = evaluator.costs();
  double energy = 0;
  double bytes = 0;
  for (int tier = 0; tier < costs.tier_count(); ++tier) {
    energy += costs.tiers[tier].power_watts * evaluation.compute_ms[tier];
  }
  for (const Transfer& transfer : evaluation.transfers) {
    const double size = static_cast<double>(transfer.bytes);
    energy += size * costs.link(transfer.from, transfer.to)->joules_per_byte * kJoule;
    bytes += size;
  }
  const int start = evaluator.control().start_tier();
  return {evaluation.latency_ms, energy, static_cast<double>(evaluation.memory_bytes[start]),
          bytes};
}

CostGraph objective_costs(const CostGraph& costs, const Objective& objective) {
  CostGraph result = costs;
  const ControlGraph control(costs);
  const double of_time = objective[Measure::kLatency];
  const double of_energy = objective[Measure::kEnergy];
  std::vector<double> per_ms;
  for (Tier& tier : result.tiers) {
    per_ms.push_back(of_time + of_energy * tier.power_watts);
    tier.block_overhead_ms *= per_ms.back();
  }
  result.tiers[control.start_tier()].cost_per_activation_byte = objective[Measure::kMemory];
  for (AtomCost& atom : result.atoms) {
    for (std::size_t tier = 0; tier < per_ms.size(); ++tier) atom.latency_ms[tier] *= per_ms[tier];
    atom.latency_ms[control.start_tier()] +=
        objective[Measure::kMemory] * static_cast<double>(atom.weight_bytes);
  }
  for (auto& link : result.links) {
    if (!link) continue;
    link->route_cost_per_byte = link->cost_per_byte();
    link->serialisation_ms_per_byte = of_time * link->cost_per_byte() +
                                      of_energy * kJoule * link->joules_per_byte +
                                      objective[Measure::kBytes];
    link->bytes_per_second = std::numeric_limits<double>::infinity();
    link->latency_ms *= of_time;
  }
  return result;
}

ObjectivePlan find_best_plan(const Evaluator& evaluator, const Objective& objective,
                             const std::vector<Ceiling>& ceilings, const SearchLimits& limits) {
  const CostGraph& costs = evaluator.costs();
  if (has_alternatives(costs)) {
    const auto plans = find_in_each(costs, [&](const Evaluator& pinned) {
      return find_best_plan(pinned, objective, ceilings, limits);
    });
    ObjectivePlan best = simplest(
        plans, [](const ObjectivePlan& plan) { return plan.value; },
        [](const ObjectivePlan& plan) { return plan.plan.evaluation.size(); });
    for (const ObjectivePlan& other : plans) {
      best.lower_bound = std::min(best.lower_bound, other.lower_bound);
    }
    const bool proven = best.lower_bound >= best.value * (1 - kProofTolerance);
    best.plan.gap = proven ? 0 : (best.value - best.lower_bound) / best.value;
    return best;
  }
  const auto memory = std::find_if(ceilings.begin(), ceilings.end(), [](const Ceiling& ceiling) {
    return ceiling.measure == Measure::kMemory;
  });
  if (memory != ceilings.end()) {
    // The same as less memory on that tier, which the search knows better how to handle.
    CostGraph smaller = costs;
    std::uint64_t& bytes = smaller.tiers[evaluator.control().start_tier()].memory_bytes;
    const auto at_most = static_cast<std::uint64_t>(std::max(std::floor(memory->at_most), 1.0));
    bytes = bytes == 0 ? at_most : std::min(bytes, at_most);
    std::vector<Ceiling> others(ceilings.begin(), memory);
    others.insert(others.end(), memory + 1, ceilings.end());
    return find_best_plan(Evaluator(smaller), objective, others, limits);
  }
  for (const Ceiling& ceiling : ceilings) {
    const Scored least(costs, Objective::of(ceiling.measure));
    const Optimum found = find_best(least.evaluator, {&least.evaluator, {}}, limits);
    if (found.cost <= ceiling.at_most * (1 + kProofTolerance)) continue;
    fail_ceiling(costs, ceiling, found.cost, found.lower_bound == found.cost);
  }
  const Scored score(costs, objective);
  Goal goal{&score.evaluator, {}, &evaluator};
  Optimum found = find_best(score.evaluator, goal, limits);
  std::vector<std::unique_ptr<Scored>> measured;
  const CeilingPrices prices(evaluator, objective, ceilings, initial_pins(evaluator));
  for (std::size_t i = 0; i < ceilings.size(); ++i) {
    measured.push_back(std::make_unique<Scored>(costs, Objective::of(ceilings[i].measure)));
    const Evaluator& of_measure = measured.back()->evaluator;
    goal.limits.push_back({&of_measure, ceilings[i].at_most, prices.prices()[i],
                           fmt::format("limit of {} ({})", measure_name(ceilings[i].measure),
                                       measure_unit(ceilings[i].measure))});
  }
  const bool kept = std::all_of(goal.limits.begin(), goal.limits.end(), [&](const Limit& limit) {
    return limit.costs->cost(found.placement) <= limit.at_most * (1 + kProofTolerance);
  });
  if (!kept) {
    const double unlimited = found.lower_bound;
    const Scored blend(costs, prices.blended());
    found = find_best(blend.evaluator, goal, limits);
    found.lower_bound = std::max(found.lower_bound, std::min(unlimited, found.cost));
  }
  ObjectivePlan result{score_plan(evaluator, found.placement, 0), found.cost, found.lower_bound};
  const bool proven = found.lower_bound >= found.cost * (1 - kProofTolerance);
  if (proven) result.lower_bound = found.cost;
  result.plan.gap = proven ? 0 : (found.cost - found.lower_bound) / found.cost;
  return result;
}

Front pareto_front(const Evaluator& evaluator, Measure first, Measure second, int points,
                   const std::vector<Ceiling>& ceilings, const SearchLimits& limits) {
  Front front;
  const auto value = [&](const ObjectivePlan& plan, Measure measure) {
    return measure_all(evaluator, plan.plan.evaluation)[static_cast<std::size_t>(measure)];
  };
  const auto solve = [&](Measure least, Measure other, std::optional<double> at_most) {
    std::vector<Ceiling> all = ceilings;
    if (at_most) all.push_back({other, *at_most});
    return find_best_plan(evaluator, Objective::of(least), all, limits);
  };
  // The best in one measure and, among those, in the other.
  const auto extreme = [&](Measure least, Measure other) {
    const ObjectivePlan any = solve(least, other, std::nullopt);
    ObjectivePlan best = solve(other, least, value(any, least));
    if (any.plan.gap > 0) best.plan.gap = std::max(best.plan.gap, any.plan.gap);
    return best;
  };
  const ObjectivePlan start = extreme(first, second);
  const ObjectivePlan end = extreme(second, first);
  const double high = value(start, second);
  const double low = value(end, second);
  front.plans.push_back(start);
  for (int i = 1; i < points - 1; ++i) {
    const double ceiling = high - (high - low) * i / (points - 1);
    if (value(front.plans.back(), second) <= ceiling) continue;
    front.plans.push_back(solve(first, second, ceiling));
  }
  front.plans.push_back(end);
  std::vector<ObjectivePlan> kept;
  for (const ObjectivePlan& plan : front.plans) {
    front.proven = front.proven && plan.plan.gap == 0;
    const bool dominated =
        !kept.empty() && value(kept.back(), second) <= value(plan, second) * (1 + kProofTolerance);
    if (dominated) continue;
    while (!kept.empty() && value(kept.back(), first) >= value(plan, first)) kept.pop_back();
    kept.push_back(plan);
  }
  front.plans = std::move(kept);
  return front;
}

}  // namespace adamec::plan
