#include "adamec/base/output_target.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <random>
#include <string_view>

#include "adamec/base/descriptor.h"

namespace adamec {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;         // as many as Linux follows
constexpr mode_t kPermissions = 0777;  // without set-user-ID: the content is a different one

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// The folder that lists a process's open files, "/proc/123/fd" or "/proc/123/task/124/fd", or "".
std::string open_files_folder(const fs::path& path) {
  std::error_code error;
  const std::string folder = fs::canonical(folder_of(path), error).string();
  return folder.starts_with("/proc/") && folder.ends_with("/fd") ? folder : "";
}

// `path` is in such a folder. -1 unless this process has the file open.
int own_descriptor(const fs::path& path, const std::string& folder) {
  if (!folder.starts_with("/proc/" + std::to_string(::getpid()) + "/")) return -1;
  const std::string name = path.filename().string();
  int descriptor = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), descriptor);
  return error == std::errc() && end == name.data() + name.size() ? descriptor : -1;
}

void check_writable(int descriptor, const std::string& path) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY) errno = EBADF;
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) cannot_write(path);
}

}  // namespace

std::string random_suffix() {
  constexpr char kCharacters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string suffix;
  for (int i = 0; i < 6; ++i) suffix += kCharacters[random() % (sizeof(kCharacters) - 1)];
  return suffix;
}

OutputTarget find_output_target(const std::string& path) {
  if (path == "-") return {path, true, STDOUT_FILENO, {}};
  struct stat status {};
  if (path.empty()) fail("cannot write to a file without a name");
  // The system may refuse to follow a link, as one that somebody else has put into /tmp.
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) cannot_write(path);
  if (exists && S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    cannot_write(path);
  }
  fs::path end = path;
  for (int links = 0; links < kMostLinks; ++links) {
    const std::string folder = open_files_folder(end);
    if (!folder.empty()) {
      const int descriptor = own_descriptor(end, folder);
      if (descriptor >= 0) check_writable(descriptor, path);
      return {end.string(), true, descriptor, {}};
    }
    std::error_code error;
    const fs::path link = fs::read_symlink(end, error);
    if (error) break;
    end = folder_of(end) / link;  // stays as it is where the link is absolute
  }
  if (!exists) return {end.string(), false, -1, {}};
  if (!S_ISREG(status.st_mode)) return {end.string(), true, -1, {}};
  return {end.string(), false, -1, status};
}

void copy_owner_and_mode(const struct stat& from, const std::string& path, mode_t besides) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0) return;
  constexpr auto kSameUser = static_cast<uid_t>(-1);
  if ((now.st_uid != from.st_uid || now.st_gid != from.st_gid) &&
      ::chown(path.c_str(), from.st_uid, from.st_gid) != 0) {
    // Only the superuser gives files away; the group may still be one of ours.
    [[maybe_unused]] const int ignored = ::chown(path.c_str(), kSameUser, from.st_gid);
  }
  ::chmod(path.c_str(), (from.st_mode & kPermissions) | besides);
}

}  // namespace adamec
