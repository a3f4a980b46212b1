#pragma once

#include <string>
#include <string_view>

namespace adamec {

// SHA-256 of the bytes as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// The same of a file's content, read piece by piece. Throws Error when it cannot be read.
[[nodiscard]] std::string sha256_file(const std::string& path);

}  // namespace adamec
