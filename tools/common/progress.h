#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace adamec::tools {

// A progress line on stderr: shown only on a terminal, and not when quiet. Redrawn at most ten
// times a second and wiped when destroyed.
class Progress {
 public:
  Progress(std::string label, std::size_t total, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::size_t done);
  // The same when the total is known only now.
  void update(std::size_t done, std::size_t total);

 private:
  std::string label_;
  std::size_t total_;
  bool shown_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point drawn_;
};

// Whether coloured text is welcome on stdout: a terminal, and NO_COLOR not set.
[[nodiscard]] bool colour_welcome();

}  // namespace adamec::tools
