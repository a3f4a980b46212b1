#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "adamec/base/error.h"

// System calls on open files, for the bodies of this room.
namespace adamec {

// Closes the file when destroyed, but for standard input, output and error.
struct Descriptor {
  explicit Descriptor(int descriptor) : fd(descriptor) {}
  ~Descriptor() {
    if (fd > STDERR_FILENO) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int fd = -1;
};

[[noreturn]] inline void cannot_write(const std::string& name) {
  fail("{}: cannot write: {}", name, std::strerror(errno));
}

// Throws Error with `name` in front.
inline void write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot_write(name);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Calls `consume(bytes)` for pieces of the open file until its end. Throws Error with `name` in
// front.
template <typename Consume>
void for_each_piece(int fd, const std::string& name, Consume consume) {
  constexpr std::size_t kPieceBytes = 1 << 20;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  while (true) {
    const ssize_t count = ::read(fd, buffer.get(), kPieceBytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot read: {}", name, std::strerror(errno));
    if (count == 0) return;
    consume(std::string_view(buffer.get(), static_cast<std::size_t>(count)));
  }
}

}  // namespace adamec
