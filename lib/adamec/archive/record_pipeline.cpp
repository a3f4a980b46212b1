#include "adamec/archive/record_pipeline.h"

#include "adamec/base/sha256.h"

namespace adamec::archive {

RecordPipeline::~RecordPipeline() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  if (hashes_.valid()) hashes_.wait();
  if (written_.valid()) written_.wait();
}

void RecordPipeline::start(std::span<const Record> records, std::uint64_t manifest_bytes) {
  records_ = records;
  complete_.assign(records.size(), false);
  hashes_ = std::async(std::launch::async, [this] {
    std::vector<std::string> hashes;
    for_each([&](const Record& record) { hashes.push_back(sha256_hex(record.bytes)); });
    return hashes;
  });
  if (writer_ == nullptr) return;
  written_ = std::async(std::launch::async, [this, manifest_bytes] {
    writer_->start(manifest_bytes);
    for_each([&](const Record& record) { writer_->add(record); });
  });
}

void RecordPipeline::complete(std::size_t index) {
  {
    const std::lock_guard lock(mutex_);
    complete_[index] = true;
  }
  changed_.notify_all();
}

void RecordPipeline::complete_all() {
  {
    const std::lock_guard lock(mutex_);
    complete_.assign(complete_.size(), true);
  }
  changed_.notify_all();
}

std::vector<std::string> RecordPipeline::finish() {
  std::vector<std::string> hashes = hashes_.get();
  if (written_.valid()) written_.get();
  return hashes;
}

void RecordPipeline::for_each(const std::function<void(const Record&)>& visit) {
  for (std::size_t i = 0; i < records_.size(); ++i) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return abandoned_ || complete_[i]; });
      if (abandoned_) return;
    }
    visit(records_[i]);
  }
}

}  // namespace adamec::archive
