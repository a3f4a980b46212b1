#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace adamec {

// What went wrong, in the terms that decide a command's exit code (tools/common/run_tool.h).
enum class ErrorKind {
  kFailed,      // bad or unsupported input: the message names file, field and numbers
  kUsage,       // the caller asked for something that makes no sense
  kInfeasible,  // no plan meets the constraints
};

// The one exception type of the libraries. The message is one line: "file: lower-case reason",
// without a final period.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Throws Error(kFailed) with a message in fmt's format.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::kFailed, fmt::format(format, std::forward<Args>(args)...));
}

// The same for other kinds.
template <typename... Args>
[[noreturn]] void fail_with(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

// The text on one line, with control characters escaped, cut at `max_length` bytes. Everything
// from a file that ends up in a message goes through this.
[[nodiscard]] std::string printable(const std::string& text, std::size_t max_length = 120);

}  // namespace adamec
