#pragma once

#include "adamec/measure/synthesis/random.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::measure {

// Whether perturbed() knows how the sizes of such a call hang together.
[[nodiscard]] bool can_perturb(const v1::Operator& op);

// The call with some of its sizes changed, so that it still runs and takes neither more than about
// 64 MiB nor 2 billion multiply-accumulates, or a quarter more than `op` where that is more. `op`
// must be one that can_perturb().
[[nodiscard]] v1::Operator perturbed(const v1::Operator& op, Random& random);

}  // namespace adamec::measure
