#pragma once

#include <optional>

#include "adamec/measure/affinity.h"

namespace adamec::tools {

// OpenMP reads its wait policy and OpenBLAS starts its threads while the program is loaded, before
// main(). So, unless the user has chosen a policy and the affinity is as wanted, this sets
// OMP_WAIT_POLICY=PASSIVE (idle threads that spin made a sum of 4 ms read 48 ms) and the affinity,
// and starts the program once more in place of itself. Throws Error when a CPU is not available.
void restart_for_measuring(char** argv, const std::optional<measure::CpuList>& cpus);

}  // namespace adamec::tools
