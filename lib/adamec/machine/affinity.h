#pragma once

#include <string>
#include <vector>

namespace adamec::machine {

// CPU numbers, ascending, each once.
using CpuList = std::vector<int>;

// "0,2-3" -> {0, 2, 3}. Throws Error(kUsage) naming `field` unless the text is such a list of CPU
// numbers below 1024.
[[nodiscard]] CpuList parse_cpu_list(const std::string& text, const std::string& field);
// {0, 2, 3} -> "0,2-3".
[[nodiscard]] std::string format_cpu_list(const CpuList& cpus);

// The CPUs the calling thread may run on.
[[nodiscard]] CpuList current_affinity();
// The CPUs the threads of this process may run on. That is the affinity, but where OpenMP binds its
// threads (OMP_PROC_BIND, OMP_PLACES), the first one among them, it is all of its places.
[[nodiscard]] CpuList usable_cpus();
// Restricts the calling thread, and the threads and processes it starts later. Throws Error when
// one of the CPUs does not exist or is not usable.
void set_affinity(const CpuList& cpus);

}  // namespace adamec::machine
