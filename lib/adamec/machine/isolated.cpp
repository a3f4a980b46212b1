#include "adamec/machine/isolated.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "adamec/base/error.h"

namespace adamec::machine {
namespace {

constexpr char kDone = 'd';
constexpr char kFailed = 'f';

void send_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ::_exit(1);  // nobody listens any more
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string receive_all(int file) {
  std::string bytes;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(file, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

// The first byte says what the rest is. Ends without the parent's destructors and buffers.
[[noreturn]] void work_in_child(const std::function<std::string()>& work, int file, pid_t parent) {
  // Not SIGKILL: what the work has changed on the host is to be taken back.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  std::string message;
  try {
    message = kDone + work();
  } catch (const std::bad_alloc&) {
    message = kFailed + std::string("not enough memory");
  } catch (const std::exception& error) {
    message = kFailed + std::string(error.what());
  }
  send_all(file, message);
  ::_exit(0);
}

}  // namespace

IsolatedResult run_isolated(const std::function<std::string()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    fail("cannot make a pipe to the measuring process: {}", std::strerror(errno));
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    work_in_child(work, ends[1], parent);
  }
  const int fork_error = errno;
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    fail("cannot start the measuring process: {}", std::strerror(fork_error));
  }
  const std::string message = receive_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  IsolatedResult result;
  result.process = child;
  if (WIFSIGNALED(status)) {
    result.signal = WTERMSIG(status);
  } else if (message.empty()) {
    result.failure = "the measuring process ended without a result";
  } else if (message[0] == kDone) {
    result.bytes = message.substr(1);
  } else {
    result.failure = message.substr(1);
  }
  return result;
}

}  // namespace adamec::machine
