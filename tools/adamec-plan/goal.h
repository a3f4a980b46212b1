#pragma once

#include <optional>
#include <string>
#include <utility>

#include "adamec/plan/search/objective.h"

namespace adamec::tools {

// What the plan is to be best at, as given.
struct GoalOptions {
  std::string objective;
  std::string deadline;
  std::string pareto;
  int points;
  int buffers;
};

// The same, understood.
struct GoalConfig {
  enum class Kind { kLatency, kObjective, kPareto, kThroughput };
  Kind kind = Kind::kLatency;
  std::string name;  // as given
  plan::Objective objective;
  std::pair<plan::Measure, plan::Measure> pareto;
  int points = 0;
  int buffers = 0;
  std::optional<double> deadline_ms;

  [[nodiscard]] bool is_latency() const { return kind == Kind::kLatency; }
};

// Throws Error(kUsage) naming the option.
[[nodiscard]] GoalConfig understand_goal(const GoalOptions& options);

}  // namespace adamec::tools
