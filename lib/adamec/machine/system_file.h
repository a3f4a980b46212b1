#pragma once

#include <string>

// Files by which the system tells and takes settings: /proc, /sys.
namespace adamec::machine {

// The file's text; empty where the system has no such file or keeps it to itself.
[[nodiscard]] std::string read_system_file(const std::string& path);

// Writes the text into the existing file. Returns 0 or the error's number (errno).
[[nodiscard]] int write_system_file(const std::string& path, const std::string& text);

}  // namespace adamec::machine
