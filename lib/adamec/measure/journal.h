#pragma once

#include <string>

#include "adamec/v1/journal.pb.h"

namespace adamec::measure {

// The file beside a sample file that keeps what was measured since the sample file was saved, so
// that an interrupt, even by SIGKILL, loses at most one visit.
class JournalFile {
 public:
  // Starts a journal for this host with the content of an earlier one. Throws Error when it cannot
  // be written.
  JournalFile(const std::string& path, const v1::Host& host, const v1::Journal& earlier);
  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  void add(const v1::Visit& visit);
  void add(const v1::Reading& reading);
  // Forgets everything that has been saved elsewhere and keeps `rest`. Whole or not at all: an
  // interrupt leaves the journal before or after it.
  void restart(const v1::Journal& rest);
  // Removes the file.
  void remove();

 private:
  void append(const v1::Journal& entry);
  void close();

  std::string path_;
  v1::Host host_;
  int file_ = -1;
};

// What can be read of a journal, up to the entry that was being written when the process was
// killed; empty when there is no such file or another host wrote it.
[[nodiscard]] v1::Journal read_journal(const std::string& path, const v1::Host& host);

// "h.samples" -> "h.samples.visits"
[[nodiscard]] std::string journal_path(const std::string& samples);

}  // namespace adamec::measure
