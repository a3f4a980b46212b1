#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adamec/predict/work.h"

namespace adamec::predict {

// The numbers that trees may look at, by name. Predictor files name the features they use, so a
// later version may add and reorder, but never change the meaning of a name.
[[nodiscard]] const std::vector<std::string>& feature_names();
// Where "cpu_load" is among them.
inline constexpr std::size_t kLoadColumn = 0;

// What a row says besides the work itself.
struct RowContext {
  int operator_index = -1;  // in the predictor's vocabulary; -1: unknown
  int backend_index = -1;
  unsigned threads = 1;
  double cpu_load = 0;
  double log_baseline_us = 0;
};

// One row of feature_names().size() numbers. NaN where a feature makes no sense for the operator;
// everything else is finite.
void fill_features(const Work& work, const RowContext& context, std::vector<float>& row);

// Convolutions that run on different code and have sizes of their own: 1 depthwise, 2 pointwise;
// 0: anything else. From a row of features.
[[nodiscard]] int shape_family(std::span<const float> row);

// The same text for the same work, whatever names of operators and arguments it is written with.
[[nodiscard]] std::string work_key(const Work& work);

}  // namespace adamec::predict
