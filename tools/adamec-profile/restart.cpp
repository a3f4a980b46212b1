#include "tools/adamec-profile/restart.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "adamec/base/error.h"

namespace adamec::tools {

void restart_for_measuring(char** argv, const std::optional<machine::CpuList>& cpus) {
  constexpr const char* kStarted = "ADAMEC_PROFILE_STARTED";
  const machine::CpuList usable = machine::usable_cpus();
  const bool placed = !cpus || *cpus == usable;
  const bool chosen =
      std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr;
  const bool blas_chosen = std::getenv("OPENBLAS_THREAD_TIMEOUT") != nullptr;
  if (placed && chosen && blas_chosen) return;
  if (std::getenv(kStarted) != nullptr) {
    fail("--cpus {}: the environment has OpenMP use {} (OMP_PLACES, GOMP_CPU_AFFINITY)",
         machine::format_cpu_list(cpus.value_or(usable)), machine::format_cpu_list(usable));
  }
  // From all of them: where OpenMP binds threads, this one is on the first.
  machine::set_affinity(cpus.value_or(usable));
  if (!chosen) {
    ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
    ::setenv("GOMP_SPINCOUNT", "10000", 0);
  }
  if (!blas_chosen) ::setenv("OPENBLAS_THREAD_TIMEOUT", "18", 0);
  ::setenv(kStarted, "1", 1);
  ::execv("/proc/self/exe", argv);
  fail("cannot start again with other settings of OpenMP: {}; set OMP_WAIT_POLICY yourself",
       std::strerror(errno));
}

}  // namespace adamec::tools
