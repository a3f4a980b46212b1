#include "tools/adamec-profile/report.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/text_table.h"
#include "adamec/machine/host.h"
#include "adamec/measure/contexts.h"
#include "adamec/measure/sample_file.h"
#include "tools/adamec-profile/export.h"

namespace adamec::tools {
namespace {

using enum TextTable::Align;
using Samples = std::vector<v1::Sample>;

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::string group_of(const v1::Sample& sample) {
  if (sample.subject() == v1::BLOCK) return "(blocks)";
  if (sample.subject() == v1::MODEL) return "(whole models)";
  if (sample.subject() == v1::SEQUENCE) return "(whole models, atom by atom)";
  return sample.operators().empty() ? "(no operator)" : printable(sample.operators(0).name());
}

// "12.3" of microseconds from 12.3; the range of a group's latencies.
std::string range_text(const Samples& samples) {
  double least = samples.front().latency().min_us();
  double most = least;
  for (const v1::Sample& sample : samples) {
    least = std::min(least, sample.latency().min_us());
    most = std::max(most, sample.latency().min_us());
  }
  return fmt::format("{:.1f} - {:.1f}", least, most);
}

// Samples under load or limits that have an uncontended partner of the same round.
std::size_t pairs(const Samples& samples) {
  std::set<std::string> uncontended;
  const auto key = [](const v1::Sample& sample, const v1::Context& context) {
    return sample.round() + "\n" + measure::measurement_key(sample.signature(), context);
  };
  const auto contended = [&](const v1::Sample& sample) {
    return key(sample, sample.context()) != key(sample, measure::uncontended(sample.context()));
  };
  for (const v1::Sample& sample : samples) {
    if (!contended(sample)) uncontended.insert(key(sample, sample.context()));
  }
  return static_cast<std::size_t>(
      std::count_if(samples.begin(), samples.end(), [&](const v1::Sample& sample) {
        return contended(sample) &&
               uncontended.count(key(sample, measure::uncontended(sample.context()))) != 0;
      }));
}

std::string coverage_table(const Samples& samples) {
  std::map<std::string, Samples> groups;
  for (const v1::Sample& sample : samples) groups[group_of(sample)].push_back(sample);
  TextTable table({{"operator", kLeft},
                   {"configurations", kRight},
                   {"samples", kRight},
                   {"min us", kRight},
                   {"within 5 %", kRight},
                   {"within 10 %", kRight}});
  for (const auto& [name, group] : groups) {
    std::set<std::string> signatures;
    for (const v1::Sample& sample : group) signatures.insert(sample.signature());
    const measure::Repeatability repeat = measure::repeatability(group);
    table.add_row({name, fmt::format("{}", signatures.size()), fmt::format("{}", group.size()),
                   range_text(group), repeat.samples > 0 ? percent(repeat.within_5) : "",
                   repeat.samples > 0 ? percent(repeat.within_10) : ""});
  }
  return table.str();
}

std::string context_table(const Samples& samples) {
  std::map<std::string, Samples> groups;
  for (const v1::Sample& sample : samples) {
    groups[measure::context_text(sample.context())].push_back(sample);
  }
  TextTable table({{"context", kLeft},
                   {"samples", kRight},
                   {"load seen", kRight},
                   {"CPU pressure", kRight},
                   {"within 5 %", kRight},
                   {"within 10 %", kRight}});
  for (const auto& [name, group] : groups) {
    double load = 0;
    double pressure = 0;
    for (const v1::Sample& sample : group) {
      load += sample.observed().cpu_load();
      pressure += sample.observed().cpu_pressure();
    }
    const auto count = static_cast<double>(group.size());
    const measure::Repeatability repeat = measure::agreement(group);
    table.add_row({name, fmt::format("{}", group.size()), fmt::format("{:.2f}", load / count),
                   fmt::format("{:.2f}", pressure / count), percent(repeat.within_5),
                   percent(repeat.within_10)});
  }
  return table.str();
}

void print_host(const v1::Host& host, const Samples& samples) {
  std::cout << "host: " << machine::summarise(host) << "\n\n";
  if (samples.empty()) {
    std::cout << "no samples\n";
    return;
  }
  std::set<std::string> models;
  for (const v1::Sample& sample : samples) {
    models.insert(sample.models().begin(), sample.models().end());
  }
  std::cout << coverage_table(samples) << "\n" << context_table(samples) << "\n";
  std::cout << fmt::format(
      "{} samples of {} models; {} under load or limits have a partner without, of the same "
      "round\n",
      samples.size(), models.size(), pairs(samples));
  const measure::Repeatability repeat = measure::repeatability(samples);
  if (repeat.samples == 0) return;
  std::cout << fmt::format(
      "repeatability (two halves of the visits, without load): within 5 % for {} of the samples, "
      "within 10 % for {}; no predictor can be better than that\n",
      percent(repeat.within_5), percent(repeat.within_10));
}

void print_json(const std::map<std::string, v1::Host>& hosts, const Samples& samples) {
  nlohmann::ordered_json json;
  json["hosts"] = nlohmann::ordered_json::array();
  for (const auto& [id, host] : hosts) json["hosts"].push_back(host_json(host));
  json["samples"] = nlohmann::ordered_json::array();
  for (const v1::Sample& sample : samples) json["samples"].push_back(sample_json(sample));
  std::cout << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace

int report(const ProfileConfig& config, const CommonOptions& common, const Console& console) {
  std::map<std::string, v1::Host> hosts;
  Samples all;
  for (const std::string& path : config.archives) {
    const v1::SampleSet set = measure::read_samples(path);
    for (const v1::Host& host : set.hosts()) hosts.emplace(host.id(), host);
    all.insert(all.end(), set.samples().begin(), set.samples().end());
  }
  if (hosts.size() > 1) {
    console.note(fmt::format("samples of {} hosts: one table for each", hosts.size()));
  }
  if (common.json) {
    print_json(hosts, all);
  } else if (config.csv) {
    std::cout << samples_csv(all);
  } else {
    bool first = true;
    for (const auto& [id, host] : hosts) {
      Samples mine;
      std::copy_if(all.begin(), all.end(), std::back_inserter(mine),
                   [&](const v1::Sample& sample) { return sample.host_id() == host.id(); });
      if (!first) std::cout << "\n";
      print_host(host, mine);
      first = false;
    }
  }
  return kDone;
}

}  // namespace adamec::tools
