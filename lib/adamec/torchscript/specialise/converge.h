#pragma once

#include <functional>
#include <optional>

#include "adamec/torchscript/specialise/assumptions.h"
#include "adamec/torchscript/specialise/specialise.h"

namespace adamec::torchscript {

// Repeats the attempt until it gives a residual, and returns that. An attempt that gives none must
// have learnt something: more assumptions, or that attributes do not stay unchanging. Throws Error
// otherwise, as the next would end like it; what the attempt throws is passed on.
[[nodiscard]] Residual converge(Assumptions& assumptions,
                                const std::function<std::optional<Residual>()>& attempt);

}  // namespace adamec::torchscript
