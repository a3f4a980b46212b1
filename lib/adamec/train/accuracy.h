#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "adamec/train/cross_validation.h"

namespace adamec::train {

// How well a set of predictions fits, in percent; NaN where there is nothing to tell from.
struct Accuracy {
  std::string group;  // "aten::conv2d", "1 thread, load 0.5", "all"
  std::size_t count = 0;
  double within_5 = 0;  // share of predictions within 5 % of the measurement
  double within_10 = 0;
  double within_15 = 0;
  double mape = 0;          // mean absolute error relative to the measurement
  double median_ape = 0;    // median of the same
  double rmspe = 0;         // root of the mean squared relative error
  double p95_coverage = 0;  // share of measurements below p95, calibrated on the other folds
  double repeat_within_5 = 0;
  double repeat_within_10 = 0;  // ceiling: share of measurements that repeat within 10 %
  double repeat_mape = 0;
};

// Atoms by operator (alphabetical) and by context, blocks and whole models by context; then all
// blocks ("blocks") and models ("models") where there are any; all atoms ("all") last.
[[nodiscard]] std::vector<Accuracy> accuracy_table(std::span<const Outcome> outcomes);

// The table for people.
[[nodiscard]] std::string accuracy_text(std::span<const Accuracy> table);

}  // namespace adamec::train
