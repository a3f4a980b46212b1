#pragma once

#include <exception>
#include <string>

namespace adamec::torchscript {

// What an exception of LibTorch says, in one line without its stack trace.
std::string first_line(const std::exception& error);

}  // namespace adamec::torchscript
