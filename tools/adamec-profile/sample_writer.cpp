#include "tools/adamec-profile/sample_writer.h"

#include <filesystem>
#include <set>
#include <utility>

namespace adamec::tools {
namespace {

bool is_replaceable(const std::string& path) {
  return path != "-" && (!std::filesystem::exists(path) || std::filesystem::is_regular_file(path));
}

}  // namespace

SampleWriter::SampleWriter(const std::string& path, v1::SampleSet before, const v1::Host& host,
                           const v1::Journal& earlier, std::vector<v1::Configuration> parts)
    : path_(path), before_(std::move(before)), parts_(std::move(parts)) {
  if (before_.hosts().empty()) *before_.add_hosts() = host;
  if (!is_replaceable(path)) {
    at_end_ = std::make_unique<OutputFile>(path);
    return;
  }
  existed_ = std::filesystem::exists(path);
  if (!existed_) write_file(path, bytes_with({}));
  journal_ = std::make_unique<measure::JournalFile>(measure::journal_path(path), host, earlier);
}

SampleWriter::~SampleWriter() {
  if (!journal_ || saved_) return;
  journal_->remove();
  if (!existed_) std::filesystem::remove(path_);
}

void SampleWriter::add(const v1::Visit& visit) {
  if (journal_) journal_->add(visit);
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

void SampleWriter::save(const std::vector<v1::Sample>& samples) {
  if (!journal_ || samples.empty()) return;
  write_file(path_, bytes_with(samples));
  saved_ = true;
  journal_->clear();
}

void SampleWriter::finish(const std::vector<v1::Sample>& samples) {
  if (at_end_) {
    at_end_->write(bytes_with(samples));
    at_end_->commit();
    return;
  }
  if (!(samples.empty() && existed_)) write_file(path_, bytes_with(samples));
  saved_ = true;
  journal_->remove();
}

}  // namespace adamec::tools
