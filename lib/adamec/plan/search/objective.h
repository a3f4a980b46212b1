#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "adamec/plan/search/branch_and_bound.h"

namespace adamec::plan {

// What a plan may be judged by.
enum class Measure {
  kLatency,  // milliseconds of one inference
  kEnergy,   // millijoules: every tier's power while it computes, every link's energy per byte
  kMemory,   // bytes on the tier where control starts
  kBytes,    // bytes sent, over all links
};
inline constexpr std::array<Measure, 4> kMeasures = {Measure::kLatency, Measure::kEnergy,
                                                     Measure::kMemory, Measure::kBytes};
[[nodiscard]] const char* measure_name(Measure measure);  // "latency", ...
const char* measure_unit(Measure measure);                // "ms", "mJ", "bytes", "bytes"
std::optional<Measure> find_measure(const std::string& name);

// A weighted sum of measures, each in its unit.
struct Objective {
  std::array<double, 4> weight{0, 0, 0, 0};

  [[nodiscard]] static Objective of(Measure measure);
  double& operator[](Measure measure) { return weight[static_cast<std::size_t>(measure)]; }
  double operator[](Measure measure) const { return weight[static_cast<std::size_t>(measure)]; }
};

// All measures of a placement.
[[nodiscard]] std::array<double, 4> measure_all(const Evaluator& evaluator,
                                                const Evaluation& evaluation);

// A cost graph whose "latency" is the objective: searched like any other. Routes stay what they
// are.
[[nodiscard]] CostGraph objective_costs(const CostGraph& costs, const Objective& objective);

// A measure that must not exceed a number.
struct Ceiling {
  Measure measure;
  double at_most;
};

struct ObjectivePlan {
  Plan plan;               // scored by latency; gap: of the objective
  double value = 0;        // of the objective
  double lower_bound = 0;  // no plan that keeps the constraints has less
};

// The plan of least objective that keeps memory limits, pins and ceilings. A ceiling enters the
// bound with the price under which the relaxation is highest (Lagrange). Throws Error(kInfeasible),
// naming the ceiling and by how much it is missed.
[[nodiscard]] ObjectivePlan find_best_plan(const Evaluator& evaluator, const Objective& objective,
                                           const std::vector<Ceiling>& ceilings,
                                           const SearchLimits& limits = {});

// Plans of which none is better in both measures, ordered by the first: the best in each, and
// between them the best in the first for (up to) `points` evenly spaced ceilings of the second.
// `proven`: whether every plan is proven, and so all of them belong to the front.
struct Front {
  std::vector<ObjectivePlan> plans;
  bool proven = true;
};
[[nodiscard]] Front pareto_front(const Evaluator& evaluator, Measure first, Measure second,
                                 int points, const std::vector<Ceiling>& ceilings,
                                 const SearchLimits& limits = {});

}  // namespace adamec::plan
