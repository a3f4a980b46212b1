#include "tools/adamec-profile/options.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/measure/protocol.h"

namespace adamec::tools {
namespace {

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
  app.add_option("archives", options.archives, "Atom archives (adamec-split), '-' for stdin")
      ->type_name("M.atoms")
      ->required();
  app.add_option("-o,--output", options.output,
                 "Write the samples here; without it, print a table of latencies")
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
  app.add_option("--cpus", options.cpus, "Run on these CPUs only, like 0,2-3")
      ->type_name("LIST")
      ->join(',');
  app.add_option("--visits", options.visits,
                 "Visit every atom this often in every context (at least; 4 to 64) [4]")
      ->type_name("N");
  app.add_option("--budget", options.budget,
                 "Take about this long: more visits if there is time, fewer atoms if not")
      ->type_name("TIME");
  app.add_option("--only", options.only,
                 "Measure atoms whose id, or model/id, matches this shell pattern")
      ->type_name("PATTERN");
  app.add_option("--shard", options.shard, "Measure every N-th configuration, from the I-th")
      ->type_name("I/N")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the order of visits and of the atoms' inputs")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--list", options.list, "List what would be measured, and stop");
  app.add_flag("--resume", options.resume,
               "Keep what the output file holds already, measure the rest, and save after every "
               "round of atoms");
}

ProfileConfig understand(const ProfileOptions& options, bool json) {
  ProfileConfig config;
  config.archives = options.archives;
  config.output = options.output;
  config.list = options.list;
  config.resume = options.resume;
  config.seed = options.seed;
  config.visits = options.visits == 0 ? measure::kFewestVisits : options.visits;
  if (config.visits < measure::kFewestVisits || config.visits > measure::kMostVisits) {
    fail_with(ErrorKind::kUsage, "--visits: {} is not between {} and {}", config.visits,
              measure::kFewestVisits, measure::kMostVisits);
  }
  config.budget_us = parse_budget_us(options.budget);
  config.selection.only = options.only;
  parse_shard(options.shard, config.selection);
  const auto threads =
      parse_list<unsigned>(options.threads, "--threads", "a list of whole numbers like 1,2");
  const auto loads =
      parse_list<double>(options.cpu_load, "--cpu-load", "a list of numbers like 0,0.5,0.9");
  if (!options.cpus.empty()) config.cpus = measure::parse_cpu_list(options.cpus, "--cpus");
  config.contexts = measure::make_contexts(
      threads, loads, config.cpus ? measure::format_cpu_list(*config.cpus) : "");
  if (std::count(config.archives.begin(), config.archives.end(), "-") > 1) {
    fail_with(ErrorKind::kUsage, "standard input can be read only once");
  }
  if (config.resume && (config.output.empty() || config.output == "-")) {
    fail_with(ErrorKind::kUsage, "--resume needs -o with a file");
  }
  if (json && config.output == "-") {
    fail_with(ErrorKind::kUsage, "--json and '-o -' both write to standard output");
  }
  return config;
}

}  // namespace adamec::tools
