#include "tools/adamec-profile/work_list.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/text_table.h"
#include "adamec/base/units.h"
#include "adamec/measure/sample_file.h"

namespace adamec::tools {
namespace {

std::set<std::string> measured_already(const v1::SampleSet& samples) {
  std::set<std::string> keys;
  for (const v1::Sample& sample : samples.samples()) {
    keys.insert(measure::measurement_key(sample.signature(), sample.context()));
  }
  return keys;
}

std::string principal_operator(const v1::Atom& atom) {
  return atom.operators().empty() ? "" : printable(atom.operators(0).name());
}

std::string context_text(const v1::Context& context) {
  return fmt::format("{}x{}", context.threads(), context.cpu_load());
}

}  // namespace

WorkList::WorkList(const ProfileConfig& config) {
  for (const std::string& path : config.archives) {
    archives_.push_back(archive::Reader::open(path));
  }
  std::vector<const v1::Manifest*> manifests;
  for (const archive::Reader& reader : archives_) {
    manifests.push_back(&reader.manifest());
    atoms_ += static_cast<std::size_t>(reader.manifest().atoms_size());
  }
  plan_ = measure::make_plan(manifests, config.selection);
  if (plan_.empty()) {
    if (atoms_ == 0) fail("{}: no atoms", archives_.front().name());
    fail("{}: none of the {} atoms is chosen by --only and --shard", archives_.front().name(),
         atoms_);
  }
  if (config.resume && std::filesystem::exists(config.output)) {
    previous_ = measure::read_samples(config.output);
  }
  const std::set<std::string> done = measured_already(previous_);
  for (const measure::PlanItem& item : plan_) {
    auto contexts = measure::open_contexts(item.signature, config.contexts, done);
    if (!contexts.empty()) items_.push_back({&item, manifests[item.archive], std::move(contexts)});
  }
}

std::string list_text(const WorkList& work, const std::vector<v1::Context>& contexts) {
  using enum TextTable::Align;
  TextTable table({{"atom", kLeft},
                   {"operator", kLeft},
                   {"models", kRight},
                   {"weights", kRight},
                   {"threads x load", kLeft}});
  for (const measure::CampaignItem& item : work.items()) {
    std::string text;
    for (std::size_t context : item.contexts) text += context_text(contexts[context]) + " ";
    const v1::Atom& atom = *item.plan->atom;
    table.add_row({printable(measure::qualified_name(*item.manifest, atom)),
                   principal_operator(atom), fmt::format("{}", item.plan->models.size()),
                   format_bytes(atom.weight_bytes()), text});
  }
  return table.str();
}

std::string list_json(const WorkList& work, const std::vector<v1::Context>& contexts) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const measure::CampaignItem& item : work.items()) {
    nlohmann::ordered_json entry;
    entry["atom"] = measure::qualified_name(*item.manifest, *item.plan->atom);
    entry["operator"] = principal_operator(*item.plan->atom);
    entry["signature"] = item.plan->signature;
    entry["models"] = item.plan->models;
    entry["contexts"] = nlohmann::ordered_json::array();
    for (std::size_t index : item.contexts) {
      const v1::Context& context = contexts[index];
      entry["contexts"].push_back(
          {{"threads", context.threads()}, {"cpu_load", context.cpu_load()}});
    }
    list.push_back(std::move(entry));
  }
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string work_summary(const WorkList& work, const ProfileConfig& config) {
  measure::CampaignOptions options;
  options.visits = config.visits;
  const double us = measure::planned_us(work.items(), config.contexts, options);
  std::string text =
      fmt::format("{} atoms, {} configurations chosen, {} to measure in {} context{}", work.atoms(),
                  work.configurations(), work.items().size(), config.contexts.size(),
                  config.contexts.size() == 1 ? "" : "s");
  return text + fmt::format(", {}", config.budget_us > 0
                                        ? "about " + format_ms(config.budget_us * 1e-3)
                                        : "at least " + format_ms(us * 1e-3));
}

}  // namespace adamec::tools
