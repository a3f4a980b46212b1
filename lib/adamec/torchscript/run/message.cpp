#include "adamec/torchscript/run/message.h"

#include "adamec/base/error.h"
#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  // Errors of TorchScript programs: the interpreter's frames come first, the reason last.
  const std::string mark = "RuntimeError: ";
  const auto reason = text.rfind(mark);
  std::size_t at = reason == std::string::npos ? 0 : reason + mark.size();
  while (at < text.size() && (text[at] == '\n' || text[at] == ' ')) ++at;
  std::string line = text.substr(at, text.find('\n', at) - at);
  while (!line.empty() && (line.back() == '.' || line.back() == ':')) line.pop_back();
  return printable(line, 300);
}

}  // namespace adamec::torchscript
