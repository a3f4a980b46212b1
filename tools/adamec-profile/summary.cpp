#include "tools/adamec-profile/summary.h"

#include <algorithm>
#include <cctype>

#include "adamec/base/error.h"
#include "adamec/base/text_table.h"
#include "adamec/measure/contexts.h"
#include "adamec/measure/sample_file.h"
#include "tools/adamec-profile/export.h"

namespace adamec::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string quoted(const std::string& argument) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string("._-/+=:@%,").find(static_cast<char>(c)) != std::string::npos;
  };
  if (!argument.empty() && std::all_of(argument.begin(), argument.end(), plain)) return argument;
  std::string text = "'";
  for (char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string latency_table(const std::vector<v1::Sample>& samples) {
  using enum TextTable::Align;
  TextTable table({{"atom", kLeft},
                   {"context", kLeft},
                   {"min us", kRight},
                   {"p50 us", kRight},
                   {"p95 us", kRight},
                   {"runs", kRight}});
  for (const v1::Sample& sample : samples) {
    const v1::Latency& latency = sample.latency();
    table.add_row({printable(sample.sample_atom()), measure::context_text(sample.context()),
                   fmt::format("{:.1f}", latency.min_us()), fmt::format("{:.1f}", latency.p50_us()),
                   fmt::format("{:.1f}", latency.p95_us()), fmt::format("{}", latency.runs())});
  }
  return table.str();
}

std::string summary_json(const Summary& summary, const WorkList& work,
                         const ProfileConfig& config) {
  const measure::Repeatability repeat = measure::repeatability(summary.result.samples);
  Json json;
  json["host"] = host_json(summary.host);
  json["atoms"] = work.atoms();
  json["configurations"] = work.configurations();
  json["measured"] = summary.result.measured;
  json["left_out"] = summary.result.left_out;
  json["seconds"] = summary.seconds;
  json["repeatability"] = {{"samples", repeat.samples},
                           {"within_5_percent", repeat.within_5},
                           {"within_10_percent", repeat.within_10}};
  json["failures"] = Json::array();
  for (const measure::Failure& failure : summary.result.failures) {
    json["failures"].push_back({{"atom", failure.plan->sample.sample_atom()},
                                {"reason", failure.reason},
                                {"reproduce", reproducing_line(failure, work, config)}});
  }
  json["samples"] = Json::array();
  for (const v1::Sample& sample : summary.result.samples) {
    json["samples"].push_back(sample_json(sample));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string summary_line(const Summary& summary) {
  const measure::Repeatability repeat = measure::repeatability(summary.result.samples);
  std::string text = fmt::format("{} configurations measured in {:.1f} s", summary.result.measured,
                                 summary.seconds);
  if (repeat.samples > 0) {
    text += fmt::format(
        "; two halves of the visits agree within 5 % for {:.0f} % of them, within 10 % for {:.0f} "
        "% "
        "(no predictor can be better than that)",
        100 * repeat.within_5, 100 * repeat.within_10);
  }
  return text;
}

std::string reproducing_line(const measure::Failure& failure, const WorkList& work,
                             const ProfileConfig& config) {
  const measure::WorkItem& item = *failure.plan;
  std::string line = "adamec-profile";
  if (work.archive_of(item) != nullptr) {
    line += " " + quoted(config.archives[item.archive]);
  } else {  // made from all archives
    for (const std::string& archive : config.archives) line += " " + quoted(archive);
    for (const Synthesis& synthesis : config.synthesize) {
      line += fmt::format(" --synthesize {}:{}", synthesis.kind, synthesis.count);
    }
    line += fmt::format(" --seed {}", config.seed);
  }
  line += " --only " + quoted(item.name);
  if (item.sample.subject() == v1::BLOCK) {
    line += fmt::format(" --blocks {} --seed {}", config.selection.blocks, config.seed);
  }
  line += " --threads 1";
  if (failure.memory_limit > 0) line += fmt::format(" --memory-limit {}", failure.memory_limit);
  if (!config.device.empty()) line += " --device " + quoted(config.device);
  return line;
}

std::string failure_text(const measure::Failure& failure, const WorkList& work,
                         const ProfileConfig& config) {
  return fmt::format("{}; to reproduce: {}", failure.reason,
                     reproducing_line(failure, work, config));
}

}  // namespace adamec::tools
