#include "tools/adamec-plan/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/units.h"

namespace adamec::tools {
namespace {

constexpr std::array<std::pair<const char*, Algorithm>, 6> kAlgorithms = {{
    {"optimal", Algorithm::kOptimal},
    {"min-cut", Algorithm::kMinCut},
    {"dads", Algorithm::kDads},
    {"neurosurgeon", Algorithm::kNeurosurgeon},
    {"device-only", Algorithm::kDeviceOnly},
    {"edge-only", Algorithm::kEdgeOnly},
}};

Algorithm parse_algorithm(const std::string& name) {
  std::string known;
  for (const auto& [candidate, algorithm] : kAlgorithms) {
    if (name == candidate) return algorithm;
    known += (known.empty() ? "" : ", ") + std::string(candidate);
  }
  fail_with(ErrorKind::kUsage, "--algorithm: '{}' is not one of {}", printable(name), known);
}

Format parse_format(const std::string& name, bool json, bool atlas) {
  if (atlas && !json && name == "pb") return Format::kProtobuf;
  if (atlas && !json && name == "header") return Format::kHeader;
  if (name != "yaml" && name != "json") {
    fail_with(ErrorKind::kUsage, "--format: '{}' is not one of yaml, json{}", printable(name),
              atlas ? ", pb, header" : "");
  }
  return json || name == "json" ? Format::kJson : Format::kYaml;
}

double parse_time_limit(const std::string& text) {
  double limit = 0;
  try {
    limit = parse_duration_ms(text, "--time-limit");
  } catch (const Error& error) {
    throw Error(ErrorKind::kUsage, error.what());
  }
  if (limit <= 0) fail_with(ErrorKind::kUsage, "--time-limit: no time at all");
  return limit;
}

double parse_quantile(const std::string& text) {
  double quantile = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, quantile);
  if (error != std::errc() || rest != end || !(quantile >= 0.5 && quantile <= 0.99)) {
    fail_with(ErrorKind::kUsage, "--quantile: '{}' is not a number from 0.5 to 0.99",
              printable(text));
  }
  return quantile;
}

void check_sources(const PlanOptions& options) {
  if (options.extra.alone()) return;
  if (!options.costs.empty()) {
    for (const auto& [name, value] :
         {std::pair{"ARCHIVE", options.archive}, std::pair{"--context", options.context},
          std::pair{"--save-costs", options.save_costs},
          std::pair{"--quantile", options.quantile == "0.5" ? "" : options.quantile}}) {
      if (!value.empty()) {
        fail_with(ErrorKind::kUsage, "--costs and {} exclude each other", name);
      }
    }
    return;
  }
  if (options.archive.empty()) {
    fail_with(ErrorKind::kUsage, "expected an archive and its --context, or --costs (see --help)");
  }
  if (options.context.empty()) {
    fail_with(ErrorKind::kUsage, "--context is required with an archive (see --help)");
  }
  if (options.archive == "-" && options.context == "-") {
    fail_with(ErrorKind::kUsage, "standard input can be read only once");
  }
}

}  // namespace

void add_options(CLI::App& app, PlanOptions& options) {
  app.add_option("archive", options.archive, "Atom archive (adamec-split), '-' for stdin")
      ->type_name("M.atoms");
  app.add_option("--context", options.context,
                 "Tiers with their predictors, links and constraints (YAML)")
      ->type_name("C.yaml");
  app.add_option("--costs", options.costs,
                 "Plan this cost graph (JSON) instead of an archive, '-' for stdin")
      ->type_name("F.json");
  app.add_option("-o,--output", options.output, "Write the plan here")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--format", options.format, "Of the plan: yaml or json (--json: the latter)")
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_option("--objective", options.objective,
                 "What to minimise: latency (ms), energy (mJ), memory (bytes on the input's tier), "
                 "bytes (sent), a weighted sum of them like latency=1,energy=0.5, or maximise: "
                 "throughput (a pipeline over all tiers)")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--deadline", options.deadline,
                 "Latency that no plan may exceed (like 100ms); beats the context's")
      ->type_name("TIME");
  app.add_option("--quantile", options.quantile,
                 "Of predicted latencies, 0.5 to 0.99: 0.95 plans on what 95 % of runs stay below")
      ->type_name("Q")
      ->capture_default_str();
  app.add_option("--pareto", options.pareto,
                 "Print the front of two objectives, like latency,memory: plans of which none is "
                 "better in both")
      ->type_name("A,B");
  app.add_option("--points", options.points, "Of --pareto: at most this many plans")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--buffers", options.buffers,
                 "Of throughput: copies of every boundary's tensors that a stage holds in memory")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--algorithm", options.algorithm,
                 "optimal, min-cut (moves are not counted), dads, neurosurgeon, device-only or "
                 "edge-only; all are scored alike")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--compare", options.compare,
               "Add the latencies of the other placements to the plan, and print a table of them "
               "(on stderr when the plan goes to stdout)");
  app.add_option("--dot", options.dot, "Write the plan as a graph for graphviz")->type_name("FILE");
  app.add_option("--save-costs", options.save_costs,
                 "Write the cost graph made of archive, predictors and context (JSON)")
      ->type_name("FILE");
  app.add_flag("--strict", options.strict,
               "A predictor of another host or LibTorch version is an error, not a warning");
  app.add_option("--time-limit", options.time_limit,
                 "Search this long (like 10s) for the proven best plan, instead of an amount of "
                 "work that is the same on every machine")
      ->type_name("TIME");
  add_extra_options(app, options.extra);
}

PlanConfig understand(const PlanOptions& options, bool json) {
  PlanConfig config{options.archive,
                    options.context,
                    options.costs,
                    options.output,
                    options.dot,
                    options.save_costs,
                    Format::kYaml,
                    Algorithm::kOptimal,
                    std::nullopt,
                    options.compare,
                    options.strict,
                    parse_quantile(options.quantile),
                    understand_goal({options.objective, options.deadline, options.pareto,
                                     options.points, options.buffers}),
                    options.extra};
  if (!config.goal.is_latency() &&
      (options.compare || !options.dot.empty() || options.algorithm != "optimal")) {
    fail_with(ErrorKind::kUsage, "--compare, --dot and --algorithm are for the objective latency");
  }
  config.algorithm = parse_algorithm(options.algorithm);
  config.format = parse_format(options.format, json, options.extra.atlas);
  if (!options.time_limit.empty()) config.time_limit_ms = parse_time_limit(options.time_limit);
  check_sources(options);
  check_extras(options.extra, !options.costs.empty(), options.archive);
  const std::array<std::string, 3> outputs = {config.output, config.dot, config.save_costs};
  if (std::count(outputs.begin(), outputs.end(), "-") > 1) {
    fail_with(ErrorKind::kUsage, "only one of -o, --dot and --save-costs can be standard output");
  }
  return config;
}

}  // namespace adamec::tools
