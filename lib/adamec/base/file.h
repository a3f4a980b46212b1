#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace adamec {

// The name people see in messages: "<stdin>" for "-".
std::string display_name(const std::string& path);

// The whole file; "-" is standard input. Throws Error when it cannot be read or is larger than
// `max_bytes`.
std::string read_file(const std::string& path, std::uint64_t max_bytes = UINT64_MAX);

// An output file that exists completely or not at all: bytes go to a temporary file beside the
// target; commit() syncs it to disk and renames it. Destroyed before commit, or interrupted by a
// signal (see discard_output_files), it leaves nothing. "-" is standard output: the temporary
// file is copied there on commit.
class OutputFile {
 public:
  // Throws Error when the folder cannot be written to.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // The target's name in messages: "<stdout>" for "-".
  std::string name() const { return path_ == "-" ? "<stdout>" : path_; }
  // Where to write, for libraries that take a path. The file exists and is empty.
  const std::string& temporary_path() const { return temporary_; }
  // Appends bytes.
  void write(std::string_view bytes);
  // Makes the output visible. Throws Error (disk full, ...) and leaves the old file untouched.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  bool committed_ = false;
};

// OutputFile with all bytes at once.
void write_file(const std::string& path, std::string_view bytes);

// Removes the temporary files of all living OutputFiles. Safe to call from a signal handler.
void discard_output_files() noexcept;

}  // namespace adamec
