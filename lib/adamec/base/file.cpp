#include "adamec/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "adamec/base/descriptor.h"
#include "adamec/base/error.h"

namespace adamec {

std::string display_name(const std::string& path) { return path == "-" ? "<stdin>" : path; }

std::string read_file(const std::string& path, std::uint64_t max_bytes) {
  const std::string name = display_name(path);
  const Descriptor file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) fail("{}: cannot open: {}", name, std::strerror(errno));
  std::string content;
  struct stat status {};
  if (::fstat(file.fd, &status) == 0 && S_ISREG(status.st_mode)) {
    if (static_cast<std::uint64_t>(status.st_size) > max_bytes) {
      fail("{}: {} bytes, expected at most {}", name, status.st_size, max_bytes);
    }
    content.reserve(static_cast<std::size_t>(status.st_size));
  }
  for_each_piece(file.fd, name, [&](std::string_view piece) {
    if (content.size() + piece.size() > max_bytes) {
      fail("{}: more than {} bytes", name, max_bytes);
    }
    content.append(piece);
  });
  return content;
}

void write_file(const std::string& path, std::string_view bytes) {
  OutputFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace adamec
