#include "adamec/machine/load_generator.h"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "adamec/base/error.h"

namespace adamec::machine {
namespace {

// Of one burst and the pause after it. Two periods fit into the shortest block timed under load.
constexpr std::int64_t kPeriodNs = 5'000'000;

// Everything below runs in the child of a process that may have threads: system calls only.
std::int64_t nanoseconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

void sleep_until(std::int64_t end) {
  const timespec time{end / 1'000'000'000, end % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

// Uses `share` of a period in CPU time, however long that takes, then sleeps to the period's end.
void live_one_period(double share) {
  const std::int64_t end = nanoseconds(CLOCK_MONOTONIC) + kPeriodNs;
  const std::int64_t burst = nanoseconds(CLOCK_THREAD_CPUTIME_ID) +
                             static_cast<std::int64_t>(share * static_cast<double>(kPeriodNs));
  while (nanoseconds(CLOCK_THREAD_CPUTIME_ID) < burst) {
  }
  if (nanoseconds(CLOCK_MONOTONIC) < end) sleep_until(end);
}

// Takes the next share the parent sends; waits for one while there is nothing to do.
void receive_share(int socket, double& share) {
  pollfd ready{socket, POLLIN, 0};
  while (::poll(&ready, 1, share > 0 ? 0 : -1) > 0) {
    if (::recv(socket, &share, sizeof(share), 0) != sizeof(share)) ::_exit(0);  // parent is gone
  }
}

[[noreturn]] void generate_load(int socket, int cpu, pid_t parent) {
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGPIPE})
    std::signal(signal, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  const int error = ::sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : errno;
  if (::send(socket, &error, sizeof(error), MSG_NOSIGNAL) != sizeof(error) || error != 0) {
    ::_exit(1);
  }
  for (double share = 0;;) {
    receive_share(socket, share);
    live_one_period(share);
  }
}

}  // namespace

LoadGenerator::LoadGenerator(const CpuList& cpus) {
  try {
    for (int cpu : cpus) start(cpu);
  } catch (...) {
    stop();
    throw;
  }
}

LoadGenerator::~LoadGenerator() { stop(); }

void LoadGenerator::start(int cpu) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    fail("load generator: cannot make a socket: {}", std::strerror(errno));
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(sockets[0]);
    for (const Child& sibling : children_) ::close(sibling.socket);
    generate_load(sockets[1], cpu, parent);
  }
  const int fork_error = errno;
  ::close(sockets[1]);
  if (pid < 0) {
    ::close(sockets[0]);
    fail("load generator: cannot start a process: {}", std::strerror(fork_error));
  }
  children_.push_back({pid, sockets[0], cpu});
  int error = 0;
  if (::recv(sockets[0], &error, sizeof(error), 0) != sizeof(error)) error = ECHILD;
  if (error != 0) fail("load generator: cannot run on CPU {}: {}", cpu, std::strerror(error));
}

void LoadGenerator::set_load(double share) {
  if (!(share >= 0 && share <= kLargestLoad)) {
    fail_with(ErrorKind::kUsage, "CPU load {} is not between 0 and {}", share, kLargestLoad);
  }
  for (const Child& child : children_) {
    if (::send(child.socket, &share, sizeof(share), MSG_NOSIGNAL) != sizeof(share)) {
      fail("load generator: the process on CPU {} has ended", child.cpu);
    }
  }
}

double LoadGenerator::stop() {
  for (const Child& child : children_) {
    ::close(child.socket);
    ::kill(child.pid, SIGKILL);
  }
  for (const Child& child : children_) {
    rusage usage{};
    while (::wait4(child.pid, nullptr, 0, &usage) < 0 && errno == EINTR) {
    }
    for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
      used_seconds_ += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    }
  }
  children_.clear();
  return used_seconds_;
}

}  // namespace adamec::machine
