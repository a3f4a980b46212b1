#pragma once

#include <cstddef>
#include <span>

#include "adamec/v1/samples.pb.h"

// How long a campaign's parts take, guessed from the work, and how it spends its visits.
namespace adamec::measure {

// Without other processes' load and without a CPU quota. With them, what disturbs is what is
// measured.
[[nodiscard]] bool is_unloaded(const v1::Context& context);

// Visits that a sweep makes to each configuration, when the first one makes `visits`.
[[nodiscard]] unsigned visits_of_sweep(unsigned visits, unsigned sweep);

// About how long one sweep over the chosen contexts (indices) takes, in us, loading included.
[[nodiscard]] double sweep_us(const v1::Sample& sample, std::span<const v1::Context> contexts,
                              std::span<const std::size_t> chosen, unsigned visits);

}  // namespace adamec::measure
