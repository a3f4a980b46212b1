#pragma once

#include <exception>
#include <string>

namespace adamec::torchscript {

// Why LibTorch threw the exception, in one line without its stack trace: what follows the last name
// of an error that a line begins with ("RuntimeError: "), or else the first line.
[[nodiscard]] std::string reason_of(const std::exception& error);

}  // namespace adamec::torchscript
