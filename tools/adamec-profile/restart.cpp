#include "tools/adamec-profile/restart.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "adamec/base/error.h"

namespace adamec::tools {

void restart_for_measuring(char** argv, const std::optional<measure::CpuList>& cpus) {
  constexpr const char* kPolicy = "OMP_WAIT_POLICY";
  const bool placed = !cpus || *cpus == measure::current_affinity();
  if (placed && std::getenv(kPolicy) != nullptr) return;
  if (!placed) measure::set_affinity(*cpus);
  ::setenv(kPolicy, "PASSIVE", /*overwrite=*/0);
  ::execv("/proc/self/exe", argv);
  fail("cannot start again with {}=PASSIVE: {}; set it yourself", kPolicy, std::strerror(errno));
}

}  // namespace adamec::tools
