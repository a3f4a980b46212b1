#include "tools/adamec-profile/work_list.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/text_table.h"
#include "adamec/base/units.h"
#include "adamec/measure/contexts.h"
#include "adamec/measure/sample_file.h"
#include "tools/adamec-profile/export.h"

namespace adamec::tools {
namespace {

std::set<std::string> measured_already(const v1::SampleSet& samples) {
  std::set<std::string> keys;
  for (const v1::Sample& sample : samples.samples()) {
    keys.insert(measure::measurement_key(sample.signature(), sample.context()));
  }
  return keys;
}

std::string what_it_is(const v1::Sample& sample) {
  if (sample.parts_size() > 0) return fmt::format("{} atoms", sample.parts_size());
  return sample.operators().empty() ? "" : printable(sample.operators(0).name());
}

std::string short_context(const v1::Context& context) {
  std::string text = fmt::format("{}x{}", context.threads(), context.cpu_load());
  if (context.memory_limit() > 0)
    text += "@" + std::to_string(context.memory_limit() >> 20) + "MiB";
  if (context.cpu_quota() > 0) text += fmt::format("/q{}", context.cpu_quota());
  if (context.frequency() > 0) text += fmt::format("/f{}", context.frequency());
  return text;
}

double all_us(const WorkList& work, const ProfileConfig& config) {
  double us = 0;
  for (const measure::CampaignItem& item : work.items()) {
    us += measure::expected_us(item, config.contexts, config.visits);
  }
  return us;
}

}  // namespace

WorkList::WorkList(const ProfileConfig& config) {
  for (const std::string& path : config.archives) {
    archives_.push_back(archive::Reader::open(path));
  }
  for (const archive::Reader& reader : archives_) {
    atoms_ += static_cast<std::size_t>(reader.manifest().atoms_size());
  }
  synthetic_ = make_synthetic(archives_, config);
  atoms_ += static_cast<std::size_t>(synthetic_.manifest.atoms_size());
  plan_ = measure::make_work_items(sources(), config.selection);
  if (plan_.empty()) {
    const std::string name = archives_.empty() ? "--synthesize" : archives_.front().name();
    if (atoms_ == 0) fail("{}: has no atoms", name);
    fail("{}: none of the {} atoms matches --only and --shard", name, atoms_);
  }
  if (config.resume && std::filesystem::exists(config.output)) {
    previous_ = measure::read_samples(config.output);
  }
  const std::set<std::string> done = measured_already(previous_);
  for (const measure::WorkItem& item : plan_) {
    auto contexts = measure::open_contexts(item.signature(), config.contexts, done);
    if (!contexts.empty()) items_.push_back({&item, std::move(contexts), {}});
  }
}

std::vector<measure::WorkSource> WorkList::sources() const {
  std::vector<measure::WorkSource> result;
  for (const archive::Reader& reader : archives_) {
    result.push_back({&reader.manifest(), &reader.graph()});
  }
  if (!synthetic_.operators.empty()) {
    result.push_back({&synthetic_.manifest, &synthetic_.graph, true});
  }
  return result;
}

std::vector<v1::Configuration> WorkList::parts() const {
  return measure::part_configurations(sources(), plan_);
}

std::string list_text(const WorkList& work, const ProfileConfig& config) {
  using enum TextTable::Align;
  TextTable table({{"atom", kLeft},
                   {"operator", kLeft},
                   {"models", kRight},
                   {"weights", kRight},
                   {"about", kRight},
                   {"threads x load", kLeft}});
  for (const measure::CampaignItem& item : work.items()) {
    std::string text;
    for (std::size_t context : item.contexts) {
      text += short_context(config.contexts[context]) + " ";
    }
    const v1::Sample& sample = item.plan->sample;
    const double us = measure::expected_us(item, config.contexts, config.visits);
    table.add_row({printable(sample.sample_atom()), what_it_is(sample),
                   fmt::format("{}", sample.models_size()), format_bytes(sample.weight_bytes()),
                   format_ms(us * 1e-3), text});
  }
  return table.str();
}

std::string list_json(const WorkList& work, const ProfileConfig& config) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const measure::CampaignItem& item : work.items()) {
    const v1::Sample& sample = item.plan->sample;
    nlohmann::ordered_json entry;
    entry["atom"] = sample.sample_atom();
    entry["subject"] = v1::Subject_Name(sample.subject());
    entry["operator"] = what_it_is(sample);
    entry["signature"] = sample.signature();
    entry["models"] = std::vector<std::string>(sample.models().begin(), sample.models().end());
    entry["expected_seconds"] = 1e-6 * measure::expected_us(item, config.contexts, config.visits);
    entry["contexts"] = nlohmann::ordered_json::array();
    for (std::size_t index : item.contexts) {
      entry["contexts"].push_back(context_json(config.contexts[index]));
    }
    list.push_back(std::move(entry));
  }
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string work_summary(const WorkList& work, const ProfileConfig& config) {
  const double us = config.budget_us > 0 ? config.budget_us : all_us(work, config);
  return fmt::format("{} atoms, {} configurations chosen, {} to measure in {} context{}, about {}",
                     work.atoms(), work.configurations(), work.items().size(),
                     config.contexts.size(), config.contexts.size() == 1 ? "" : "s",
                     format_ms(us * 1e-3));
}

}  // namespace adamec::tools
