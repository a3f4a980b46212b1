#include "adamec/base/error.h"

namespace adamec {

std::string printable(const std::string& text, std::size_t max_length) {
  std::string result;
  for (unsigned char c : text) {
    if (result.size() >= max_length) {
      return result + "...";
    }
    if (c == '\n') {
      result += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      result += fmt::format("\\x{:02x}", c);
    } else {
      result += static_cast<char>(c);
    }
  }
  return result;
}

}  // namespace adamec
