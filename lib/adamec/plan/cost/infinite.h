#pragma once

#include <limits>

namespace adamec::plan {

// What cannot be done costs this much.
inline constexpr double kInfinite = std::numeric_limits<double>::infinity();

}  // namespace adamec::plan
