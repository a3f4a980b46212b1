#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adamec/base/interrupt_undo.h"

namespace adamec {

struct OutputTarget;

// The name people see in messages: "<stdin>" for "-".
[[nodiscard]] std::string display_name(const std::string& path);

// The whole file; "-" is standard input. Throws Error when it cannot be read or is larger than
// `max_bytes`.
[[nodiscard]] std::string read_file(const std::string& path, std::uint64_t max_bytes = UINT64_MAX);

// An output file that exists completely or not at all: bytes go to a temporary file beside the
// target; commit() syncs it to disk and renames it. Destroyed before commit, or interrupted by a
// signal (see interrupt_undo.h), it leaves nothing.
//
// Symbolic links are written through: the file at their end is replaced, and keeps its permissions
// and, as far as the system lets us, owner and group. What is no regular file of its own is not
// replaced but written to on commit: "-" (standard output), devices, pipes, and files that a
// process has open (/dev/stdout, /dev/fd/3, /proc/PID/fd/N).
class OutputFile {
 public:
  // Throws Error when the folder cannot be written to.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // The target's name in messages: "<stdout>" for "-".
  [[nodiscard]] std::string name() const { return path_ == "-" ? "<stdout>" : path_; }
  // Where to write, for libraries that take a path. The file exists and is empty.
  [[nodiscard]] const std::string& temporary_path() const { return temporary_; }
  // Appends bytes. Throws Error when the disk is full, say.
  void write(std::string_view bytes);
  // Makes the output visible. Throws Error (disk full, ...) and leaves the old file untouched. To
  // be called once.
  void commit();

 private:
  void make_temporary(const std::string& stem, unsigned mode);
  void write_directly(int from);

  std::string path_;  // as given
  std::unique_ptr<OutputTarget> target_;
  std::string temporary_;
  std::optional<InterruptUndo> undo_;
  bool committed_ = false;
};

// Whether OutputFile would write into what is there, at the end, instead of replacing it.
[[nodiscard]] bool is_written_directly(const std::string& path);

// OutputFile with all bytes at once.
void write_file(const std::string& path, std::string_view bytes);

}  // namespace adamec
