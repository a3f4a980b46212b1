#pragma once

namespace adamec::predict {

// Logarithms of latencies, slowdowns and error bounds stay within this: e^40 microseconds are 7000
// years, so everything computed from them stays finite.
inline constexpr double kMostLog = 40;

// No baseline is less, in us: its logarithm stays finite.
inline constexpr double kLeastUs = 1e-3;

}  // namespace adamec::predict
