#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace adamec::testing {

struct CommandResult {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// Runs `command` by /bin/sh with the built tools first in PATH, in folder `directory` (empty: the
// current one), feeding `input` to stdin. stdout and stderr are captured apart.
CommandResult run_command(const std::string& command, const std::string& directory = "",
                          const std::string& input = "");

// An empty folder that is removed at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const std::string& name = "") const;
  // Writes a file into the folder and returns its path.
  std::string write(const std::string& name, const std::string& content) const;
  std::string read(const std::string& name) const;
  // Names of the entries, sorted.
  std::vector<std::string> list() const;

 private:
  std::filesystem::path path_;
};

// Path of a file of the source tree: source_path("models/x.pt").
std::string source_path(const std::string& relative);

// Compares `text` with tests/golden/<name>. With ADAMEC_UPDATE_GOLDEN=1 in the environment the file
// is rewritten instead. Returns an empty string when equal, otherwise what differs.
std::string compare_golden(const std::string& name, const std::string& text);

}  // namespace adamec::testing
