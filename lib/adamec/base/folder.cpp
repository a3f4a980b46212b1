#include "adamec/base/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "adamec/base/descriptor.h"
#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/output_target.h"

namespace adamec {
namespace {

namespace fs = std::filesystem;

void sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

OutputFolder::OutputFolder(const std::string& path, const std::string& marker)
    : path_(path), marker_(marker) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  check_target();
  do {
    undo_.clear();
    temporary_ = path_ + ".tmp." + random_suffix();
    undo_.emplace_back(UndoAction::kRemoveFolder, temporary_);
    errno = 0;
  } while (::mkdir(temporary_.c_str(), 0777) != 0 && errno == EEXIST);
  if (errno != 0) cannot_write(path_);
  take_mode_of_old(S_IRWXU);
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void OutputFolder::check_target() const {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path_, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) fail("{}: exists and is not a folder", path_);
  if (fs::is_empty(path_, error) || fs::exists(fs::path(path_) / marker_, error)) return;
  fail("{}: will not be replaced: the folder is not empty and has no {}", path_, marker_);
}

void OutputFolder::make_folder(const std::string& name) {
  undo_.emplace_back(UndoAction::kRemoveFolder, inside(name));
  if (::mkdir(inside(name).c_str(), 0777) != 0) cannot_write(path_ + "/" + name);
}

void OutputFolder::write(const std::string& name, std::string_view bytes) {
  undo_.emplace_back(UndoAction::kRemoveFile, inside(name));
  write_file(inside(name), bytes);
}

void OutputFolder::link(const std::string& existing, const std::string& name) {
  undo_.emplace_back(UndoAction::kRemoveFile, inside(name));
  if (::link(inside(existing).c_str(), inside(name).c_str()) == 0) return;
  std::error_code error;
  fs::copy_file(inside(existing), inside(name), error);
  if (error) fail("{}/{}: cannot write: {}", path_, name, error.message());
}

// Of the folder that will be replaced, if there is one.
void OutputFolder::take_mode_of_old(unsigned besides) const {
  struct stat old {};
  if (::stat(path_.c_str(), &old) == 0) copy_owner_and_mode(old, temporary_, besides);
}

void OutputFolder::commit() {
  check_target();
  take_mode_of_old(0);
  sync_folder(temporary_);
  std::error_code error;
  if (fs::exists(path_, error) && !fs::is_empty(path_, error)) {
    // The new folder takes the old one's place in one step.
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0) {
      cannot_write(path_);
    }
    committed_ = true;
    fs::remove_all(temporary_, error);
  } else if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    cannot_write(path_);
  }
  committed_ = true;
  const fs::path parent = fs::path(path_).parent_path();
  sync_folder(parent.empty() ? "." : parent.string());
}

}  // namespace adamec
