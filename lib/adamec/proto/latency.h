#pragma once

#include <span>

#include "adamec/v1/samples.pb.h"

namespace adamec {

// The core speed (Latency.core_speed) that stands for a host: the median over its samples; 0 where
// none of them knows. Times of samples are comparable once they are taken over to it.
[[nodiscard]] double typical_core_speed(std::span<const v1::Sample* const> samples);

// What a time of the sample would be at another core speed: as many cycles. The time as it is where
// either speed is 0.
[[nodiscard]] double at_core_speed(double us, const v1::Sample& sample, double core_speed);

// The undisturbed time of a run, in us: Latency.steady_us at that core speed; the least time in
// samples that do not know theirs.
[[nodiscard]] double undisturbed_us(const v1::Sample& sample, double core_speed);

// What stands for all runs in a context, in us at that core speed: the median, but the mean where
// other processes or a quota take the CPU away in turns, for it is means that add up to a model's
// latency. Files that have no means have medians only.
[[nodiscard]] double typical_us(const v1::Sample& sample, double core_speed);

// Of the even and of the odd visits: how well the measurement repeats. The undisturbed times, or
// the means where typical_us is one; at that core speed. 0: unknown.
struct Halves {
  double even_us = 0;
  double odd_us = 0;
};

[[nodiscard]] Halves halves(const v1::Sample& sample, double core_speed = 0);

}  // namespace adamec
