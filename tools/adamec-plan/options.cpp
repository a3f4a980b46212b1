#include "tools/adamec-plan/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/units.h"

namespace adamec::tools {
namespace {

constexpr std::array<std::pair<const char*, Algorithm>, 7> kAlgorithms = {{
    {"optimal", Algorithm::kOptimal},
    {"min-cut", Algorithm::kMinCut},
    {"dads", Algorithm::kDads},
    {"neurosurgeon", Algorithm::kNeurosurgeon},
    {"greedy", Algorithm::kGreedy},
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
  if (limit <= 0) fail_with(ErrorKind::kUsage, "--time-limit: must be greater than 0");
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
        fail_with(ErrorKind::kUsage, "--costs and {} cannot be given together", name);
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
                 "Context file (YAML): tiers with their predictors, links, constraints")
      ->type_name("C.yaml");
  app.add_option("--costs", options.costs,
                 "Plan this cost graph (JSON) instead of an archive, '-' for stdin")
      ->type_name("F.json");
  app.add_option("-o,--output", options.output, "Write the plan here, '-' for stdout")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--format", options.format,
                 "Format of the plan: yaml or json; of an atlas also pb or header")
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_option(
         "--objective", options.objective,
         "Minimise latency, energy, memory, bytes or a weighted sum; or maximise throughput")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--deadline", options.deadline,
                 "Highest latency a plan may have, like 100ms; overrides the context's deadline")
      ->type_name("TIME");
  app.add_option("--quantile", options.quantile,
                 "Quantile of the predicted latencies to plan with, 0.5 to 0.99")
      ->type_name("Q")
      ->capture_default_str();
  app.add_option("--pareto", options.pareto,
                 "Print the Pareto front of two objectives, like latency,memory")
      ->type_name("A,B");
  app.add_option("--points", options.points, "Number of plans on the Pareto front, at most")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--buffers", options.buffers,
                 "Number of copies of its inputs and outputs that a pipeline stage keeps")
      ->type_name("N")
      ->capture_default_str();
  app.add_option(
         "--algorithm", options.algorithm,
         "Algorithm: optimal, min-cut, dads, neurosurgeon, greedy, device-only or edge-only")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--compare", options.compare,
               "Compare with the other algorithms: latencies in the plan, and a table");
  app.add_option("--dot", options.dot, "Write the plan as a graph for graphviz")->type_name("FILE");
  app.add_option("--save-costs", options.save_costs,
                 "Write the cost graph (JSON) made of archive, predictors and context")
      ->type_name("FILE");
  app.add_flag("--strict", options.strict,
               "Refuse predictors from a different host or LibTorch version instead of warning");
  app.add_option("--time-limit", options.time_limit,
                 "Search at most this long, like 10s, instead of a fixed amount of work")
      ->type_name("TIME");
  add_extra_options(app, options.extra);
}

std::string option_details() {
  return "Objectives: latency (ms), energy (mJ), memory (bytes on the input's tier), bytes (sent); "
         "a\n"
         "weighted sum is written like latency=1,energy=0.5. Throughput is that of a pipeline over "
         "all\n"
         "tiers, each stage on a tier of its own.\n"
         "Of plans that are equally good, the one with the fewest blocks and moves is taken.\n"
         "Algorithms: all placements are scored alike; min-cut does not count moves, dads cuts "
         "with one\n"
         "auxiliary node per tensor, neurosurgeon cuts the order of atoms once, greedy places one "
         "atom\n"
         "after the other. --quantile 0.95 plans with what 95 % of the runs stay below.\n"
         "Without --time-limit the same input gives the same plan on every machine.\n"
         "--atlas writes all plans that are best somewhere in the ranges of the context's section\n"
         "`atlas`; --format pb is for --lookup, header is C++ for plan/atlas_lookup.h. --lookup "
         "answers\n"
         "for the values of --at, like 'bandwidth=5Mbit/s' or 'load phone=0.5'; what is not given "
         "is in\n"
         "the middle of its range. With --current, a different plan is advised only when it saves "
         "more\n"
         "than loading it takes.\n"
         "With the plan on stdout, the table of --compare and the sentences of --explain go to "
         "stderr.\n";
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
