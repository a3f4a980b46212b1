#include "tools/adamec-profile/sample_writer.h"

#include <filesystem>
#include <set>
#include <utility>

#include "adamec/measure/contexts.h"

namespace adamec::tools {
namespace {

std::set<std::string> keys_of(const std::vector<v1::Sample>& samples) {
  std::set<std::string> keys;
  for (const v1::Sample& sample : samples) {
    keys.insert(measure::measurement_key(sample.signature(), sample.context()));
  }
  return keys;
}

}  // namespace

SampleWriter::SampleWriter(const std::string& path, v1::SampleSet before, const v1::Host& host,
                           const v1::Journal& earlier, std::vector<v1::Configuration> parts)
    : path_(path),
      before_(std::move(before)),
      parts_(std::move(parts)),
      earlier_(earlier),
      keep_(!earlier.visits().empty()) {
  if (before_.hosts().empty()) *before_.add_hosts() = host;
  if (is_written_directly(path)) {
    at_end_ = std::make_unique<OutputFile>(path);
    return;
  }
  existed_ = std::filesystem::exists(path);
  if (!existed_) write_file(path, bytes_with({}));
  journal_ = std::make_unique<measure::JournalFile>(measure::journal_path(path), host, earlier);
}

SampleWriter::~SampleWriter() {
  if (!journal_ || keep_) return;
  journal_->remove();
  std::error_code ignored;
  if (!existed_) std::filesystem::remove(path_, ignored);
}

void SampleWriter::add(const v1::Visit& visit) {
  if (!journal_) return;
  journal_->add(visit);
  keep_ = true;
}

void SampleWriter::add(const v1::Reading& reading) {
  if (journal_) journal_->add(reading);
}

std::string SampleWriter::bytes_with(const std::vector<v1::Sample>& samples) const {
  v1::SampleSet all = before_;
  std::set<std::string> wanted;
  for (const v1::Sample& sample : samples) {
    *all.add_samples() = sample;
    wanted.insert(sample.parts().begin(), sample.parts().end());
  }
  for (const v1::Configuration& part : all.configurations()) wanted.erase(part.signature());
  for (const v1::Configuration& part : parts_) {
    if (wanted.count(part.signature()) != 0) *all.add_configurations() = part;
  }
  return all.SerializeAsString();
}

void SampleWriter::count_as_saved(const std::vector<v1::Sample>& samples) {
  std::set<std::string> saved = keys_of(samples);
  saved.merge(keys_of({before_.samples().begin(), before_.samples().end()}));
  v1::Journal rest;
  for (const v1::Visit& visit : earlier_.visits()) {
    if (saved.contains(measure::measurement_key(visit.signature(), visit.context()))) continue;
    *rest.add_visits() = visit;
  }
  *rest.mutable_readings() = earlier_.readings();
  if (rest.visits().empty()) rest.clear_readings();
  earlier_ = std::move(rest);
}

void SampleWriter::save(const std::vector<v1::Sample>& samples) {
  if (!journal_ || samples.empty()) return;
  write_file(path_, bytes_with(samples));
  keep_ = true;
  count_as_saved(samples);
  journal_->restart(earlier_);
}

void SampleWriter::finish(const std::vector<v1::Sample>& samples) {
  if (at_end_) {
    at_end_->write(bytes_with(samples));
    at_end_->commit();
    return;
  }
  if (!(samples.empty() && existed_)) write_file(path_, bytes_with(samples));
  keep_ = true;
  count_as_saved(samples);
  if (earlier_.visits().empty()) {
    journal_->remove();
  } else {  // of configurations that this run was not asked to measure
    journal_->restart(earlier_);
  }
}

}  // namespace adamec::tools
