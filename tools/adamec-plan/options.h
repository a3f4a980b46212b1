#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "tools/adamec-plan/extras.h"
#include "tools/adamec-plan/goal.h"

namespace adamec::tools {

// The command line as given; every option is documented once, in add_options().
struct PlanOptions {
  std::string archive;
  std::string context;
  std::string costs;
  std::string output = "-";
  std::string format = "yaml";
  std::string objective = "latency";
  std::string algorithm = "optimal";
  std::string dot;
  std::string save_costs;
  std::string time_limit;
  std::string deadline;
  std::string pareto;
  std::string quantile = "0.5";
  int points = 21;
  int buffers = 2;
  bool compare = false;
  bool strict = false;
  ExtraOptions extra;
};

enum class Algorithm { kOptimal, kMinCut, kDads, kNeurosurgeon, kGreedy, kDeviceOnly, kEdgeOnly };
enum class Format { kYaml, kJson, kProtobuf, kHeader };

// The same, understood: either `costs`, or `archive` and `context`, or `extra.lookup` are given.
struct PlanConfig {
  std::string archive;
  std::string context;
  std::string costs;
  std::string output;
  std::string dot;         // empty: none
  std::string save_costs;  // empty: none
  Format format = Format::kYaml;
  Algorithm algorithm = Algorithm::kOptimal;
  std::optional<double> time_limit_ms;
  bool compare = false;
  bool strict = false;
  double quantile = 0.5;  // of predicted latencies
  GoalConfig goal;
  ExtraOptions extra;
};

void add_options(CLI::App& app, PlanOptions& options);

// What --help says below the options.
[[nodiscard]] std::string option_details();

// Throws Error(kUsage) naming the option.
[[nodiscard]] PlanConfig understand(const PlanOptions& options, bool json);

}  // namespace adamec::tools
