#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

namespace adamec {

// Where the bytes of an output go.
struct OutputTarget {
  std::string path;     // of the file itself, all symbolic links followed; need not exist
  bool direct = false;  // written to as it is: a device, a pipe, a file somebody has open
  int descriptor = -1;  // direct, and open in this process: standard output for "-"
  std::optional<struct stat> replaced;  // the regular file that is there
};

// Follows symbolic links one by one, for /dev/stdout and /proc/PID/fd/N end in a file that somebody
// has open: replacing that file would leave them with the old one. Throws Error when the path leads
// nowhere one could write to.
[[nodiscard]] OutputTarget find_output_target(const std::string& path);

// Six characters that make the name of a temporary file or folder different from all others.
[[nodiscard]] std::string random_suffix();

// Gives the file or folder `path` the owner and the permissions of what it will replace, as far as
// the system lets us; `besides` are permissions that it has, too, while it is being written.
void copy_owner_and_mode(const struct stat& from, const std::string& path, mode_t besides = 0);

}  // namespace adamec
