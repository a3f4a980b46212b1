#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstdlib>

#include "adamec/base/descriptor.h"
#include "adamec/base/file.h"
#include "adamec/base/output_target.h"

namespace adamec {
namespace {

constexpr mode_t kNewFile = 0666;  // less the user's mask
constexpr mode_t kForOwnerOnly = 0600;

std::string temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

}  // namespace

bool is_written_directly(const std::string& path) { return find_output_target(path).direct; }

OutputFile::OutputFile(const std::string& path)
    : path_(path), target_(std::make_unique<OutputTarget>(find_output_target(path))) {
  if (target_->direct) {
    make_temporary(temporary_folder() + "/adamec.tmp.", kForOwnerOnly);
  } else {
    make_temporary(target_->path + ".tmp.", target_->replaced ? kForOwnerOnly : kNewFile);
    if (target_->replaced) copy_owner_and_mode(*target_->replaced, temporary_, kForOwnerOnly);
  }
}

void OutputFile::make_temporary(const std::string& stem, unsigned mode) {
  while (true) {
    temporary_ = stem + random_suffix();
    undo_.emplace(UndoAction::kRemoveFile, temporary_);
    const Descriptor file(
        ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    const int error = errno;
    if (file.fd >= 0) return;
    undo_.reset();
    errno = error;
    if (error != EEXIST) cannot_write(name());
  }
}

OutputFile::~OutputFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void OutputFile::write(std::string_view bytes) {
  assert(!committed_);
  const Descriptor file(::open(temporary_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (file.fd < 0) cannot_write(name());
  write_all(file.fd, bytes, name());
}

void OutputFile::write_directly(int from) {
  const auto copy_to = [&](int to) {
    for_each_piece(from, name(), [&](std::string_view piece) { write_all(to, piece, name()); });
  };
  if (target_->descriptor >= 0) {
    copy_to(target_->descriptor);
    return;
  }
  const Descriptor file(::open(target_->path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (file.fd < 0) cannot_write(name());
  copy_to(file.fd);
}

void OutputFile::commit() {
  assert(!committed_);
  const Descriptor file(::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) cannot_write(name());
  if (target_->direct) {
    write_directly(file.fd);
    return;
  }
  if (target_->replaced) copy_owner_and_mode(*target_->replaced, temporary_);
  if (::fsync(file.fd) != 0) cannot_write(name());
  if (::rename(temporary_.c_str(), target_->path.c_str()) != 0) cannot_write(name());
  committed_ = true;
}

}  // namespace adamec
