#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace adamec::archive {

// Whole blocks of an existing file, written past the system's cache where file system and kernel
// can.
class DirectFile {
 public:
  // What offsets must be multiples of.
  static constexpr std::size_t kBlockBytes = 4096;

  explicit DirectFile(const std::string& path);
  ~DirectFile();
  DirectFile(const DirectFile&) = delete;
  DirectFile& operator=(const DirectFile&) = delete;

  // Writes the bytes' beginning at `offset`, a multiple of the block, and returns how much of it is
  // written. The rest, if only because it is no whole block, is the caller's.
  [[nodiscard]] std::size_t write(std::uint64_t offset, std::string_view bytes);

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  int descriptor_;
  std::unique_ptr<char, Free> memory_;  // aligned, as such writes want it
};

}  // namespace adamec::archive
