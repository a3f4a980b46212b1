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

// Gives the file or folder `path` the mode and owner of what it will replace, as far as the system
// permits.
void copy_mode_and_owner(const struct stat& from, const std::string& path);

}  // namespace adamec
