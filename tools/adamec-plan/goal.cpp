#include "tools/adamec-plan/goal.h"

#include <charconv>
#include <cmath>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/base/units.h"

namespace adamec::tools {
namespace {

constexpr int kMaxPoints = 1000;
constexpr int kMaxBuffers = 1000;
constexpr double kMaxWeight = 1e9;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts{""};
  for (char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

plan::Measure parse_measure(const char* option, const std::string& name) {
  if (const auto measure = plan::find_measure(name)) return *measure;
  std::string known;
  for (plan::Measure measure : plan::kMeasures) {
    known += (known.empty() ? "" : ", ") + std::string(plan::measure_name(measure));
  }
  fail_with(ErrorKind::kUsage, "{}: '{}' is not one of {}", option, printable(name), known);
}

double parse_weight(const std::string& text) {
  double weight = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, weight);
  if (error != std::errc() || rest != end || !(weight >= 0) || weight > kMaxWeight) {
    fail_with(ErrorKind::kUsage, "--objective: '{}' is not a weight from 0 to {:g}",
              printable(text), kMaxWeight);
  }
  return weight;
}

plan::Objective parse_objective(const std::string& text) {
  plan::Objective objective;
  double sum = 0;
  for (const std::string& part : split(text)) {
    const auto equals = part.find('=');
    const plan::Measure measure = parse_measure("--objective", part.substr(0, equals));
    if (objective[measure] > 0) {
      fail_with(ErrorKind::kUsage, "--objective: '{}' is given twice", plan::measure_name(measure));
    }
    objective[measure] = equals == std::string::npos ? 1 : parse_weight(part.substr(equals + 1));
    sum += objective[measure];
  }
  if (!(sum > 0)) fail_with(ErrorKind::kUsage, "--objective: all weights are 0");
  return objective;
}

bool is_plain_latency(const plan::Objective& objective) {
  return objective.weight == plan::Objective::of(plan::Measure::kLatency).weight;
}

}  // namespace

GoalConfig understand_goal(const GoalOptions& options) {
  GoalConfig goal;
  goal.name = options.objective;
  if (!options.deadline.empty()) {
    try {
      goal.deadline_ms = parse_duration_ms(options.deadline, "--deadline");
    } catch (const Error& error) {
      throw Error(ErrorKind::kUsage, error.what());
    }
  }
  if (options.points < 2 || options.points > kMaxPoints) {
    fail_with(ErrorKind::kUsage, "--points: {} is not from 2 to {}", options.points, kMaxPoints);
  }
  if (options.buffers < 0 || options.buffers > kMaxBuffers) {
    fail_with(ErrorKind::kUsage, "--buffers: {} is not from 0 to {}", options.buffers, kMaxBuffers);
  }
  goal.points = options.points;
  goal.buffers = options.buffers;
  if (!options.pareto.empty()) {
    if (options.objective != "latency") {
      fail_with(ErrorKind::kUsage, "--pareto and --objective cannot be given together");
    }
    const auto names = split(options.pareto);
    if (names.size() != 2 || names[0] == names[1]) {
      fail_with(ErrorKind::kUsage, "--pareto: expected two objectives like latency,memory");
    }
    goal.kind = GoalConfig::Kind::kPareto;
    goal.name = options.pareto;
    goal.pareto = {parse_measure("--pareto", names[0]), parse_measure("--pareto", names[1])};
  } else if (options.objective == "throughput") {
    if (goal.deadline_ms) {
      fail_with(ErrorKind::kUsage, "--deadline is not for the objective throughput");
    }
    goal.kind = GoalConfig::Kind::kThroughput;
  } else {
    goal.objective = parse_objective(options.objective);
    if (!is_plain_latency(goal.objective)) goal.kind = GoalConfig::Kind::kObjective;
  }
  return goal;
}

}  // namespace adamec::tools
