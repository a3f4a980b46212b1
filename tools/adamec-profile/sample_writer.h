#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adamec/base/file.h"
#include "adamec/measure/journal.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::tools {

// The output of a profiling run. A file is readable at every moment: it is replaced as a whole when
// a round of samples is complete, and what was measured since lies in a journal beside it, which
// --resume reads. Standard output and devices get everything at the end.
class SampleWriter {
 public:
  // `before`: what the file holds already and will keep. Throws Error when it cannot be written:
  // better now than after the work.
  SampleWriter(const std::string& path, v1::SampleSet before, const v1::Host& host,
               const v1::Journal& earlier, std::vector<v1::Configuration> parts);
  // Left early, as by an error, it removes what it made unless something was measured: what an
  // interrupted run had left for --resume stays, too.
  ~SampleWriter();
  SampleWriter(const SampleWriter&) = delete;
  SampleWriter& operator=(const SampleWriter&) = delete;

  void add(const v1::Visit& visit);
  void add(const v1::Reading& reading);
  // All samples of this run so far.
  void save(const std::vector<v1::Sample>& samples);
  // The same, for the last time.
  void finish(const std::vector<v1::Sample>& samples);

 private:
  [[nodiscard]] std::string bytes_with(const std::vector<v1::Sample>& samples) const;

  void count_as_saved(const std::vector<v1::Sample>& samples);

  std::string path_;
  v1::SampleSet before_;
  std::vector<v1::Configuration> parts_;
  std::unique_ptr<OutputFile> at_end_;  // where nothing can be replaced
  std::unique_ptr<measure::JournalFile> journal_;
  v1::Journal earlier_;  // visits of an interrupted run that are in no sample yet
  bool existed_ = false;
  bool keep_ = false;  // there is something that must not be lost
};

}  // namespace adamec::tools
