#include "adamec/torchscript/run/message.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {
namespace {

// Where the reason stands in a line that begins like "RuntimeError: "; npos: it is no such line.
std::size_t reason_in(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && (std::isalnum(static_cast<unsigned char>(line[end])) != 0 ||
                               line[end] == '_' || line[end] == '.')) {
    ++end;
  }
  const bool named = line.substr(0, end).ends_with("Error") && line.substr(end).starts_with(": ");
  return named ? end + 2 : std::string_view::npos;
}

}  // namespace

std::string reason_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  // Errors of TorchScript programs: the interpreter's frames come first, the reason last.
  std::size_t at = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::size_t reason = reason_in(std::string_view(text).substr(begin, end - begin));
    if (reason != std::string_view::npos) {
      const bool more = text.find_first_not_of(" \n", begin + reason) != std::string::npos;
      at = more ? begin + reason : begin;  // an error without a message: its name
    }
    begin = end + 1;
  }
  while (at < text.size() && (text[at] == '\n' || text[at] == ' ')) ++at;
  std::string line = text.substr(at, text.find('\n', at) - at);
  while (!line.empty() && (line.back() == '.' || line.back() == ':' || line.back() == ' ')) {
    line.pop_back();
  }
  return printable(line, 300);
}

}  // namespace adamec::torchscript
