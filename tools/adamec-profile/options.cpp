#include "tools/adamec-profile/options.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "adamec/base/error.h"
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
  if (budget_us <= 0) fail_with(ErrorKind::kUsage, "--budget: no time at all");
  return budget_us;
}

}  // namespace

void add_options(CLI::App& app, ProfileOptions& options) {
  app.add_option("archives", options.archives,
                 "Atom archives (adamec-split), '-' for stdin; with --report, sample files")
      ->type_name("M.atoms");
  app.add_option("-o,--output", options.output,
                 "Write the samples here; without it, print a table of latencies. Saved while "
                 "measuring: after an interrupt, --resume goes on from there")
      ->type_name("H.samples");
  // A config file's lists come as several values.
  app.add_option("--threads", options.threads, "Numbers of threads to measure with, like 1,2")
      ->type_name("LIST")
      ->join(',')
      ->capture_default_str();
  app.add_option("--cpu-load", options.cpu_load,
                 "Shares of the CPUs that other processes ask for, like 0,0.5,0.9 (at most 0.95)")
      ->type_name("LIST")
      ->join(',')
      ->capture_default_str();
  app.add_option("--memory-limit", options.memory_limit,
                 "Memory for weights and activations, like 64MiB,256MiB; 0: no limit (needs a "
                 "control group)")
      ->type_name("LIST")
      ->join(',');
  app.add_option("--cpu-quota", options.cpu_quota,
                 "Shares of the CPUs' time that this process gets, like 0.5,1 (needs a control "
                 "group)")
      ->type_name("LIST")
      ->join(',');
  app.add_option("--frequency", options.frequency,
                 "Shares of the CPUs' highest frequency, like 0.5,1 (needs cpufreq)")
      ->type_name("LIST")
      ->join(',');
  app.add_option("--device", options.device, "Where to run: cpu or cuda:N [cpu]")
      ->type_name("DEVICE");
  app.add_option("--contexts", options.contexts,
                 "Read contexts from a YAML file: 'contexts:', a list of {threads: [1, 2], "
                 "cpu_load: 0.5, memory_limit: 64MiB, cpu_quota: 0.5, frequency: 0.5}")
      ->type_name("FILE");
  app.add_option("--cpus", options.cpus, "Run on these CPUs only, like 0,2-3")
      ->type_name("LIST")
      ->join(',');
  app.add_option("--blocks", options.blocks,
                 "Random blocks of atoms to measure, per model: what they take less than their "
                 "atoms is learnt from them")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--atoms-only", options.atoms_only, "Leave out blocks and whole models");
  app.add_option(
         "--synthesize", options.synthesize,
         fmt::format("Measure N more configurations near those that networks use, KIND being "
                     "one of {} (repeatable)",
                     fmt::join(measure::synthetic_kinds(), ", ")))
      ->type_name("KIND:N");
  app.add_option("--visits", options.visits,
                 "Visit every atom this often in every context (4 to 64), then again in further "
                 "sweeps, up to three times as often (under load blocks and models up to twelve "
                 "times), until two sweeps agree on the time, under load on the mean [4]")
      ->type_name("N");
  app.add_option("--budget", options.budget,
                 "Take about this long: more visits if there is time; if not, measure what the "
                 "predictor gains most from")
      ->type_name("TIME");
  app.add_option("--only", options.only,
                 "Measure what --list calls so (id, or model/id), a shell pattern")
      ->type_name("PATTERN");
  app.add_option("--shard", options.shard, "Measure every N-th configuration, from the I-th")
      ->type_name("I/N")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the order of visits and of the atoms' inputs")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--list", options.list, "List what would be measured, and stop");
  app.add_flag("--resume", options.resume,
               "Keep what the output file holds already, and what was measured until an interrupt, "
               "and measure the rest");
  app.add_flag("--report", options.report,
               "Print what sample files cover and how well it repeats; with --json or --csv, all "
               "samples");
  app.add_flag("--csv", options.csv, "Print the samples as CSV");
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
  if (config.resume && (config.output.empty() || config.output == "-")) {
    fail_with(ErrorKind::kUsage, "--resume needs -o with a file");
  }
  if ((json || config.csv) && config.output == "-") {
    fail_with(ErrorKind::kUsage, "{} and '-o -' both write to standard output",
              json ? "--json" : "--csv");
  }
  if (json && config.csv) fail_with(ErrorKind::kUsage, "--json and --csv exclude each other");
  if (config.list && config.csv) fail_with(ErrorKind::kUsage, "--list knows no --csv, but --json");
  if (config.report && !config.output.empty()) {
    fail_with(ErrorKind::kUsage, "--report measures nothing: there is no -o to write");
  }
  if (config.report && config.list) {
    fail_with(ErrorKind::kUsage, "--report and --list exclude each other");
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
