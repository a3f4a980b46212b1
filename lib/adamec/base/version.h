#pragma once

#include <string>

namespace adamec {

// AdaMEC's own version: "0.1.0".
[[nodiscard]] std::string version();

}  // namespace adamec
