#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "adamec/base/error.h"

// What every fuzz target implements. LibFuzzer calls the first; the replay calls both.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace adamec::fuzz {

// Good inputs to start from. The same every time.
std::vector<std::string> seeds();

// Runs `read` on hostile input: it returns, or throws an Error of one line. Anything else (another
// exception, a line break in the message) ends the process.
template <typename Read>
void expect_refused_or_read(Read read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string message = error.what();
    bool plain = !message.empty();
    for (const char c : message) plain = plain && static_cast<unsigned char>(c) >= 0x20;
    if (plain) return;
    std::cerr << "not one line: " << message << std::endl;
    std::abort();
  }
}

// Ends the process when `condition` does not hold.
inline void expect(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "does not hold: " << what << std::endl;
  std::abort();
}

}  // namespace adamec::fuzz
