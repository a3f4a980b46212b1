#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "adamec/archive/archive.h"

namespace adamec::archive {

// Hashes the records of an archive and writes them, in order, while later ones are still being made
// and while they are put to the test: large ones take a while to reach the disk.
class RecordPipeline {
 public:
  // Null: they are hashed only.
  explicit RecordPipeline(Writer* writer) : writer_(writer) {}
  // Waits for records that are being hashed or written, and leaves the rest.
  ~RecordPipeline();
  RecordPipeline(const RecordPipeline&) = delete;
  RecordPipeline& operator=(const RecordPipeline&) = delete;

  // All records there will be; they stay where they are until finish() has returned.
  // `manifest_bytes` is what Writer::start() takes. Called once.
  void start(std::span<const Record> records, std::uint64_t manifest_bytes);
  // The record of that index is complete. May be called by several threads.
  void complete(std::size_t index);
  void complete_all();
  // Waits for all. Returns their SHA-256 in order; throws Error when one could not be written.
  [[nodiscard]] std::vector<std::string> finish();

 private:
  // In order, each when it is complete; returns early when the pipeline is destroyed.
  void for_each(const std::function<void(const Record&)>& visit);

  Writer* writer_;
  std::span<const Record> records_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<bool> complete_;
  bool abandoned_ = false;
  std::future<std::vector<std::string>> hashes_;
  std::future<void> written_;
};

}  // namespace adamec::archive
