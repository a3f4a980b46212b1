#pragma once

#include <optional>

#include "adamec/machine/affinity.h"

namespace adamec::tools {

// OpenMP reads its wait policy and OpenBLAS starts its threads while the program is loaded, before
// main(). So, unless the user has chosen how idle threads wait and the affinity is as wanted, this
// sets both and starts the program once more in place of itself. Throws Error when a CPU is not
// available.
//
// Idle threads spin for a moment (GOMP_SPINCOUNT=10000, about 0.2 ms), then sleep
// (OMP_WAIT_POLICY=PASSIVE). Where they sleep at once, every operator of several threads waits for
// them to wake up: a MobileNetV2 of 13 ms took 18, and 51 to 70 % of its operators repeated within
// 10 % instead of 95 to 100. Where they spin for long, those of OpenBLAS find the CPU taken: a sum
// of 4 ms took 48, an LSTM of 92 ms 224. And OpenBLAS's own spin for 2^18 cycles
// (OPENBLAS_THREAD_TIMEOUT=18, about 0.1 ms) instead of 2^26, for which they would take turns with
// those of OpenMP: some runs of networks that end with a linear layer took four times as long.
void restart_for_measuring(char** argv, const std::optional<machine::CpuList>& cpus);

}  // namespace adamec::tools
