#include "adamec/archive/direct_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace adamec::archive {
namespace {

constexpr std::size_t kPieceBytes = 8 << 20;

}  // namespace

DirectFile::DirectFile(const std::string& path)
    : descriptor_(::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC)),
      memory_(static_cast<char*>(std::aligned_alloc(kBlockBytes, kPieceBytes))) {}

DirectFile::~DirectFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t DirectFile::write(std::uint64_t offset, std::string_view bytes) {
  assert(offset % kBlockBytes == 0);
  std::size_t done = 0;
  if (descriptor_ < 0 || memory_ == nullptr) return done;
  while (bytes.size() - done >= kBlockBytes) {
    std::size_t piece = std::min(bytes.size() - done, kPieceBytes);
    piece -= piece % kBlockBytes;
    std::memcpy(memory_.get(), bytes.data() + done, piece);
    const ssize_t written =
        ::pwrite(descriptor_, memory_.get(), piece, static_cast<off_t>(offset + done));
    if (written <= 0 || static_cast<std::size_t>(written) % kBlockBytes != 0) break;
    done += static_cast<std::size_t>(written);
  }
  return done;
}

}  // namespace adamec::archive
