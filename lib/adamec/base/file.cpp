#include "adamec/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

#include "adamec/base/error.h"

namespace adamec {
namespace {

// Temporary files in progress, readable from a signal handler: fixed slots, no locks.
constexpr std::size_t kMaxOpenOutputs = 64;
std::array<std::atomic<char*>, kMaxOpenOutputs> open_outputs{};

void remember(const std::string& path) {
  char* copy = ::strdup(path.c_str());
  for (auto& slot : open_outputs) {
    char* expected = nullptr;
    if (slot.compare_exchange_strong(expected, copy)) {
      return;
    }
  }
  ::free(copy);
}

void forget(const std::string& path) {
  for (auto& slot : open_outputs) {
    char* current = slot.load();
    if (current != nullptr && path == current && slot.compare_exchange_strong(current, nullptr)) {
      ::free(current);
      return;
    }
  }
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd > STDERR_FILENO) ::close(fd);
  }
};

void write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("{}: cannot write: {}", name, std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Calls `consume(bytes)` for chunks of the open file until its end.
template <typename Consume>
void for_each_chunk(int fd, const std::string& name, Consume consume) {
  constexpr std::size_t kChunkBytes = 1 << 20;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kChunkBytes);
  while (true) {
    const ssize_t count = ::read(fd, buffer.get(), kChunkBytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("{}: cannot read: {}", name, std::strerror(errno));
    if (count == 0) return;
    consume(std::string_view(buffer.get(), static_cast<std::size_t>(count)));
  }
}

// A device or pipe, such as /dev/null, is written to; it must not be replaced by a file, and its
// folder need not be writable.
bool is_device(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

// Six characters that make a temporary file's name different from all others.
std::string random_suffix() {
  constexpr char kCharacters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string suffix;
  for (int i = 0; i < 6; ++i) suffix += kCharacters[random() % (sizeof(kCharacters) - 1)];
  return suffix;
}

}  // namespace

std::string display_name(const std::string& path) { return path == "-" ? "<stdin>" : path; }

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  const std::string name = display_name(path);
  Descriptor file;
  file.fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.fd < 0) fail("{}: cannot open: {}", name, std::strerror(errno));
  std::string content;
  struct stat status {};
  if (::fstat(file.fd, &status) == 0 && S_ISREG(status.st_mode)) {
    if (static_cast<std::uint64_t>(status.st_size) > max_bytes) {
      fail("{}: {} bytes, expected at most {}", name, status.st_size, max_bytes);
    }
    content.reserve(static_cast<std::size_t>(status.st_size));
  }
  for_each_chunk(file.fd, name, [&](std::string_view chunk) {
    if (content.size() + chunk.size() > max_bytes) {
      fail("{}: more than {} bytes", name, max_bytes);
    }
    content.append(chunk);
  });
  return content;
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (path_ == "-" || is_device(path_)) {
    const char* folder = std::getenv("TMPDIR");
    temporary_ = std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/adamec";
  } else {
    temporary_ = path_;
  }
  const std::string stem = temporary_ + ".tmp.";
  // Remembered before it is there: an interrupt, which another thread may take, finds it always.
  while (true) {
    temporary_ = stem + random_suffix();
    remember(temporary_);
    const int fd = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    const int error = errno;
    if (fd >= 0) {
      ::close(fd);
      return;
    }
    forget(temporary_);
    if (error != EEXIST) fail("{}: cannot write: {}", path_, std::strerror(error));
  }
}

OutputFile::~OutputFile() {
  if (!committed_) ::unlink(temporary_.c_str());
  forget(temporary_);
}

void OutputFile::write(std::string_view bytes) {
  Descriptor file{::open(temporary_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
  if (file.fd < 0) fail("{}: cannot write: {}", path_, std::strerror(errno));
  write_all(file.fd, bytes, path_);
}

void OutputFile::commit() {
  Descriptor file{::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) fail("{}: cannot write: {}", path_, std::strerror(errno));
  if (path_ == "-") {
    for_each_chunk(file.fd, "<stdout>",
                   [](std::string_view chunk) { write_all(STDOUT_FILENO, chunk, "<stdout>"); });
    return;
  }
  if (is_device(path_)) {
    Descriptor device{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)};
    if (device.fd < 0) fail("{}: cannot write: {}", path_, std::strerror(errno));
    for_each_chunk(file.fd, path_,
                   [&](std::string_view chunk) { write_all(device.fd, chunk, path_); });
    return;
  }
  if (::fsync(file.fd) != 0) fail("{}: cannot write: {}", path_, std::strerror(errno));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail("{}: cannot write: {}", path_, std::strerror(errno));
  }
  committed_ = true;
}

void write_file(const std::string& path, std::string_view bytes) {
  OutputFile file(path);
  file.write(bytes);
  file.commit();
}

void discard_output_files() noexcept {
  for (auto& slot : open_outputs) {
    if (const char* path = slot.load()) ::unlink(path);
  }
}

}  // namespace adamec
