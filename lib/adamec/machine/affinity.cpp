#include "adamec/machine/affinity.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "adamec/base/error.h"

namespace adamec::machine {
namespace {

std::optional<int> parse_cpu(std::string_view text) {
  int cpu = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  if (error != std::errc() || end != text.data() + text.size() || cpu < 0 || cpu >= CPU_SETSIZE) {
    return std::nullopt;
  }
  return cpu;
}

}  // namespace

CpuList parse_cpu_list(const std::string& text, const std::string& field) {
  CpuList cpus;
  std::string_view rest = text;
  for (;;) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const std::size_t dash = part.find('-');
    const std::optional<int> first = parse_cpu(part.substr(0, dash));
    const std::optional<int> last =
        dash == std::string_view::npos ? first : parse_cpu(part.substr(dash + 1));
    if (!first || !last || *last < *first) {
      fail_with(ErrorKind::kUsage, "{}: '{}' is not a list of CPUs like 0,2-3", field,
                printable(text));
    }
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::string format_cpu_list(const CpuList& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += fmt::format("{}", cpus[i]);
    if (last > i) text += fmt::format("-{}", cpus[last]);
    i = last + 1;
  }
  return text;
}

CpuList current_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) {
    fail("cannot tell which CPUs may be used: {}", std::strerror(errno));
  }
  CpuList cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

CpuList usable_cpus() {
  // Of the OpenMP runtime that LibTorch brings, if any.
  using Count = int (*)();
  using CountOf = int (*)(int);
  using Fill = void (*)(int, int*);
  const auto places = reinterpret_cast<Count>(::dlsym(RTLD_DEFAULT, "omp_get_num_places"));
  const auto size = reinterpret_cast<CountOf>(::dlsym(RTLD_DEFAULT, "omp_get_place_num_procs"));
  const auto fill = reinterpret_cast<Fill>(::dlsym(RTLD_DEFAULT, "omp_get_place_proc_ids"));
  if (places == nullptr || size == nullptr || fill == nullptr) return current_affinity();
  CpuList cpus;
  for (int place = 0; place < places(); ++place) {
    CpuList of_place(static_cast<std::size_t>(std::max(0, size(place))));
    fill(place, of_place.data());
    cpus.insert(cpus.end(), of_place.begin(), of_place.end());
  }
  if (cpus.empty()) return current_affinity();
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

void set_affinity(const CpuList& cpus) {
  const CpuList allowed = usable_cpus();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : cpus) {
    if (!std::binary_search(allowed.begin(), allowed.end(), cpu)) {
      fail("CPU {} is not available to this process, only {}", cpu, format_cpu_list(allowed));
    }
    CPU_SET(cpu, &set);
  }
  if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
    fail("cannot run on CPUs {}: {}", format_cpu_list(cpus), std::strerror(errno));
  }
}

}  // namespace adamec::machine
