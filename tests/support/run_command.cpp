#include "tests/support/run_command.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "adamec/base/error.h"
#include "adamec/base/file.h"

namespace adamec::testing {

CommandResult run_command(const std::string& command, const std::string& directory,
                          const std::string& input) {
  TemporaryFolder folder;
  const std::string in = folder.write("stdin", input);
  const std::string out = folder.path("stdout");
  const std::string err = folder.path("stderr");
  const std::string path = std::string(ADAMEC_BIN_DIR) + ":" + std::getenv("PATH");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto redirect = [](const std::string& file, int flags, int target) {
      const int fd = ::open(file.c_str(), flags, 0600);
      if (fd < 0 || ::dup2(fd, target) < 0) ::_exit(126);
      ::close(fd);
    };
    redirect(in, O_RDONLY, STDIN_FILENO);
    redirect(out, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(err, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    if (!directory.empty() && ::chdir(directory.c_str()) != 0) ::_exit(126);
    ::setenv("PATH", path.c_str(), 1);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CommandResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read_file(out);
  result.err = read_file(err);
  return result;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "adamec-test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail("{}: cannot create a folder", name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::path(const std::string& name) const {
  return name.empty() ? path_.string() : (path_ / name).string();
}

std::string TemporaryFolder::write(const std::string& name, const std::string& content) const {
  write_file(path(name), content);
  return path(name);
}

std::string TemporaryFolder::read(const std::string& name) const { return read_file(path(name)); }

std::vector<std::string> TemporaryFolder::list() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string source_path(const std::string& relative) {
  return std::string(ADAMEC_SOURCE_DIR) + "/" + relative;
}

std::string compare_golden(const std::string& name, const std::string& text) {
  const std::string path = source_path("tests/golden/" + name);
  if (std::getenv("ADAMEC_UPDATE_GOLDEN") != nullptr) {
    write_file(path, text);
    return "";
  }
  if (!std::filesystem::exists(path)) return path + ": missing; set ADAMEC_UPDATE_GOLDEN=1";
  if (read_file(path) == text) return "";
  return path + " differs from:\n" + text;
}

}  // namespace adamec::testing
