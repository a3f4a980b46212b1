#include "adamec/base/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "adamec/base/error.h"
#include "adamec/base/file.h"

namespace adamec {
namespace {

namespace fs = std::filesystem;

// Everything made so far, newest first, readable from a signal handler: nodes are complete before
// they can be seen, and stay until their folder is done.
struct Made {
  char* path;
  Made* next;
};
std::atomic<Made*> all_made{nullptr};

void remember(const std::string& path) {
  all_made = new Made{::strdup(path.c_str()), all_made.load()};
}

// Folders are done in the opposite order of their beginning, if ever two live at a time.
void forget_below(const std::string& folder) {
  while (Made* made = all_made.load()) {
    if (std::string_view(made->path).substr(0, folder.size()) != folder) return;
    all_made = made->next;
    ::free(made->path);
    delete made;
  }
}

[[noreturn]] void cannot_write(const std::string& path) {
  fail("{}: cannot write: {}", path, std::strerror(errno));
}

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
  temporary_ = path_ + ".tmp.XXXXXX";
  if (::mkdtemp(temporary_.data()) == nullptr) cannot_write(path_);
  remember(temporary_);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::chmod(temporary_.c_str(), 0777 & ~mask);
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
  forget_below(temporary_);
}

void OutputFolder::check_target() const {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path_, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) fail("{}: it exists and is no folder", path_);
  if (fs::is_empty(path_, error) || fs::exists(fs::path(path_) / marker_, error)) return;
  fail("{}: it exists and is not ours: it is not empty and has no {}", path_, marker_);
}

void OutputFolder::make_folder(const std::string& name) {
  if (::mkdir(inside(name).c_str(), 0777) != 0) cannot_write(path_ + "/" + name);
  remember(inside(name));
}

void OutputFolder::write(const std::string& name, std::string_view bytes) {
  remember(inside(name));
  write_file(inside(name), bytes);
}

void OutputFolder::link(const std::string& existing, const std::string& name) {
  remember(inside(name));
  if (::link(inside(existing).c_str(), inside(name).c_str()) == 0) return;
  std::error_code error;
  fs::copy_file(inside(existing), inside(name), error);
  if (error) fail("{}/{}: cannot write: {}", path_, name, error.message());
}

void OutputFolder::commit() {
  check_target();
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

void discard_output_folders() noexcept {
  for (const Made* made = all_made.load(); made != nullptr; made = made->next) {
    if (::unlink(made->path) != 0) ::rmdir(made->path);
  }
}

}  // namespace adamec
