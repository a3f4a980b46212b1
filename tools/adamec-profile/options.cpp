#include "tools/adamec-profile/options.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/units.h"
#include "adamec/measure/contexts.h"
#include "adamec/measure/protocol.h"
#include "adamec/measure/synthesis/synthesis.h"
#include "tools/adamec-profile/contexts_file.h"

namespace adamec::tools {
namespace {

constexpr unsigned kMostBlocks = 10'000;
constexpr std::size_t kMostSynthetic = 100'000;

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

template <typename Number>
std::vector<Number> parse_list(const std::string& text, const char* option, const char* expected) {
  std::vector<Number> numbers;
  std::string_view rest = text;
  for (;;) {
    const std::string_view part = rest.substr(0, rest.find(','));
    if (!parse_number(part, numbers.emplace_back())) {
      fail_with(ErrorKind::kUsage, "{}: '{}' is not {}", option, printable(text), expected);
    }
    if (part.size() == rest.size()) return numbers;
    rest.remove_prefix(part.size() + 1);
  }
}

void parse_shard(const std::string& text, measure::Selection& selection) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos ||
      !parse_number(std::string_view(text).substr(0, slash), selection.shard) ||
      !parse_number(std::string_view(text).substr(slash + 1), selection.shards) ||
      selection.shard < 1 || selection.shard > selection.shards) {
    fail_with(ErrorKind::kUsage, "--shard: '{}' is not I/N with I from 1 to N", printable(text));
  }
}

std::vector<std::uint64_t> parse_memory_list(const std::string& text) {
  std::vector<std::uint64_t> limits;
  std::string_view rest = text;
  for (;;) {
    const std::string_view part = rest.substr(0, rest.find(','));
    try {
      limits.push_back(parse_bytes(std::string(part), "--memory-limit"));
    } catch (const Error& error) {
      throw Error(ErrorKind::kUsage, error.what());
    }
    if (part.size() == rest.size()) return limits;
    rest.remove_prefix(part.size() + 1);
  }
}

double parse_budget_us(const std::string& text) {
  if (text.empty()) return 0;
  double budget_us = 0;
  try {
    budget_us = parse_duration_ms(text, "--budget") * 1e3;
  } catch (const Error& error) {
    throw Error(ErrorKind::kUsage, error.what());
  }
  if (budget_us <= 0) fail_with(ErrorKind::kUsage, "--budget: must be greater than 0");
  return budget_us;
}

// The kinds of configurations, a few on each line.
std::string kinds_text() {
  constexpr std::size_t kPerLine = 8;
  const auto& kinds = measure::synthetic_kinds();
  std::string text;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (i > 0) text += i % kPerLine == 0 ? ",\n  " : ", ";
    text += kinds[i];
  }
  return text;
}

}  // namespace

// One line of at most 15 words each; what else there is to say is in option_details().
void add_options(CLI::App& app, ProfileOptions& options) {
  // A config file's lists come as several values, joined again here.
  const auto list = [&app](const char* name, std::string& values, const char* description) {
    return app.add_option(name, values, description)->type_name("LIST")->join(',');
  };
  app.add_option("archives", options.archives,
                 "Atom archives ('-': standard input); with --report, sample files")
      ->type_name("M.atoms");
  app.add_option("-o,--output", options.output,
                 "Output file for the samples; without it, a table is printed")
      ->type_name("H.samples");
  list("--threads", options.threads, "Numbers of threads to measure with, like 1,2")
      ->capture_default_str();
  list("--cpu-load", options.cpu_load,
       "Shares of the CPUs that other processes ask for, like 0,0.5,0.9 (at most 0.95)")
      ->capture_default_str();
  list("--memory-limit", options.memory_limit,
       "Memory for weights and activations, like 64MiB,256MiB; 0: no limit");
  list("--cpu-quota", options.cpu_quota,
       "Shares of the CPUs' time that this process gets, like 0.5,1");
  list("--frequency", options.frequency, "Shares of the CPUs' highest frequency, like 0.5,1");
  app.add_option("--device", options.device, "Device to run on: cpu or cuda:N [cpu]")
      ->type_name("DEVICE");
  app.add_option("--contexts", options.contexts, "Read the contexts to measure in from a YAML file")
      ->type_name("FILE");
  list("--cpus", options.cpus, "CPUs to run on, like 0,2-3");
  app.add_option("--blocks", options.blocks,
                 "Number of random blocks of atoms to measure per model")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--atoms-only", options.atoms_only, "Leave out blocks and whole models");
  app.add_option("--synthesize", options.synthesize,
                 "Measure N more configurations of a kind that networks use (repeatable)")
      ->type_name("KIND:N");
  app.add_option("--visits", options.visits,
                 "Number of visits to every atom in every context, at least: 4 to 64 [4]")
      ->type_name("N");
  app.add_option("--budget", options.budget, "Time to spend, about, like 60s or 5min")
      ->type_name("TIME");
  app.add_option("--only", options.only,
                 "Measure what has a matching name in --list (shell pattern)")
      ->type_name("PATTERN");
  app.add_option("--shard", options.shard, "Measure every N-th configuration, from the I-th on")
      ->type_name("I/N")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Random seed for the measuring order and the input data")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--list", options.list, "List what would be measured, and stop");
  app.add_flag("--resume", options.resume,
               "Continue an interrupted run: keep what was measured, measure the rest");
  app.add_flag("--report", options.report,
               "Print what sample files cover and how well measurements repeat");
  app.add_flag("--csv", options.csv, "Print the samples as CSV");
}

std::string option_details() {
  return fmt::format(
      "--output is saved while measuring: after an interrupt, --resume continues from there.\n"
      "--memory-limit and --cpu-quota need control groups, --frequency needs cpufreq.\n"
      "--contexts FILE has a list 'contexts:' of entries like {{threads: [1, 2], cpu_load: 0.5,\n"
      "  memory_limit: 64MiB, cpu_quota: 0.5, frequency: 0.5}}; lists are combined, each with "
      "each.\n"
      "--blocks: from them a predictor learns what atoms save when they are combined.\n"
      "--synthesize: KIND is {};\n"
      "  N calls of that kind are made up near those of the archives.\n"
      "--visits are repeated, up to three times as many, until two sweeps agree on the time; "
      "under\n"
      "  load or a quota until the mean is known, with up to twelve times as many for blocks and "
      "models.\n"
      "--budget: with time left, there are more visits; with too little, what a predictor learns\n"
      "  most from is measured first.\n"
      "--only takes the name with or without its model: 'conv1.*', 'resnet18/conv1.*'.\n"
      "--report with --json or --csv prints all samples.\n",
      kinds_text());
}

namespace {

Synthesis parse_synthesis(const std::string& text) {
  const std::size_t colon = text.find(':');
  Synthesis synthesis{text.substr(0, colon), 0};
  const auto& kinds = measure::synthetic_kinds();
  if (colon == std::string::npos ||
      !parse_number(std::string_view(text).substr(colon + 1), synthesis.count) ||
      synthesis.count < 1 || synthesis.count > kMostSynthetic ||
      std::find(kinds.begin(), kinds.end(), synthesis.kind) == kinds.end()) {
    fail_with(ErrorKind::kUsage, "--synthesize: '{}' is not KIND:N with N up to {} and one of {}",
              printable(text), kMostSynthetic, fmt::join(kinds, ", "));
  }
  return synthesis;
}

// The contexts of the flags, or of the file.
void understand_contexts(const ProfileOptions& options, ProfileConfig& config) {
  measure::ContextLists lists;
  if (!options.cpus.empty()) config.cpus = machine::parse_cpu_list(options.cpus, "--cpus");
  if (config.cpus) lists.affinity = machine::format_cpu_list(*config.cpus);
  if (options.device != "cpu") lists.device = config.device = options.device;
  if (!options.contexts.empty()) {
    config.contexts = read_contexts(options.contexts, lists);
    return;
  }
  const char* shares = "a list of numbers like 0,0.5,0.9";
  lists.threads =
      parse_list<unsigned>(options.threads, "--threads", "a list of whole numbers like 1,2");
  lists.cpu_loads = parse_list<double>(options.cpu_load, "--cpu-load", shares);
  if (!options.cpu_quota.empty()) {
    lists.cpu_quotas = parse_list<double>(options.cpu_quota, "--cpu-quota", shares);
  }
  if (!options.frequency.empty()) {
    lists.frequencies = parse_list<double>(options.frequency, "--frequency", shares);
  }
  if (!options.memory_limit.empty()) {
    lists.memory_limits = parse_memory_list(options.memory_limit);
  }
  const auto option = [](std::string field) {
    std::replace(field.begin(), field.end(), '_', '-');
    return "--" + field;
  };
  measure::add_contexts(lists, option, config.contexts);
}

void check_combinations(const ProfileOptions& options, const ProfileConfig& config, bool json) {
  if (config.archives.empty() && (config.report || config.synthesize.empty())) {
    fail_with(ErrorKind::kUsage, "{} is required (see --help)",
              config.report ? "a sample file" : "an archive, or --synthesize,");
  }
  if (std::count(config.archives.begin(), config.archives.end(), "-") > 1) {
    fail_with(ErrorKind::kUsage, "standard input can be read only once");
  }
  if (config.resume && (config.output.empty() || is_written_directly(config.output))) {
    fail_with(ErrorKind::kUsage, "--resume needs -o with a file");
  }
  if ((json || config.csv) && config.output == "-") {
    fail_with(ErrorKind::kUsage, "{} and '-o -' both write to standard output",
              json ? "--json" : "--csv");
  }
  if (json && config.csv) fail_with(ErrorKind::kUsage, "--json and --csv cannot be used together");
  if (config.list && config.csv)
    fail_with(ErrorKind::kUsage, "--list cannot print CSV; use --json");
  if (config.report && !config.output.empty()) {
    fail_with(ErrorKind::kUsage, "--report measures nothing, so it cannot be used with -o");
  }
  if (config.report && config.list) {
    fail_with(ErrorKind::kUsage, "--report and --list cannot be used together");
  }
  if (!options.contexts.empty() &&
      (options.threads != "1" || options.cpu_load != "0" || !options.memory_limit.empty() ||
       !options.cpu_quota.empty() || !options.frequency.empty())) {
    fail_with(ErrorKind::kUsage,
              "--contexts: the file says threads, loads and limits; leave out their options");
  }
}

}  // namespace

ProfileConfig understand(const ProfileOptions& options, bool json) {
  ProfileConfig config;
  config.archives = options.archives;
  config.output = options.output;
  config.list = options.list;
  config.resume = options.resume;
  config.report = options.report;
  config.csv = options.csv;
  config.seed = options.seed;
  config.visits = options.visits == 0 ? measure::kFewestVisits : options.visits;
  if (config.visits < measure::kFewestVisits || config.visits > measure::kMostVisits) {
    fail_with(ErrorKind::kUsage, "--visits: {} is not between {} and {}", config.visits,
              measure::kFewestVisits, measure::kMostVisits);
  }
  config.budget_us = parse_budget_us(options.budget);
  config.selection.only = options.only;
  config.selection.blocks = options.atoms_only ? 0 : options.blocks;
  config.selection.models = !options.atoms_only;
  config.selection.seed = options.seed;
  if (options.blocks > kMostBlocks) {
    fail_with(ErrorKind::kUsage, "--blocks: {} is not between 0 and {}", options.blocks,
              kMostBlocks);
  }
  parse_shard(options.shard, config.selection);
  for (const std::string& text : options.synthesize) {
    config.synthesize.push_back(parse_synthesis(text));
  }
  understand_contexts(options, config);
  check_combinations(options, config, json);
  return config;
}

}  // namespace adamec::tools
