#pragma once

#include "adamec/v1/samples.pb.h"

namespace adamec {

// What stands for all runs in a context, in us: the median, but the mean where other processes or a
// quota take the CPU away in turns, for it is means that add up to a model's latency. Files that
// have no means have medians only.
double typical_us(const v1::Sample& sample);

// Of the even and of the odd visits: how well the measurement repeats. The least latencies, or the
// means where typical_us is one. 0: unknown.
struct Halves {
  double even_us = 0;
  double odd_us = 0;
};

Halves halves(const v1::Sample& sample);

}  // namespace adamec
