#pragma once

#include <vector>

#include "adamec/train/training_data.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::train {

// The rising curve that fits measured ratios best in the logarithm (pool adjacent violators:
// Barlow et al., Statistical Inference under Order Restrictions, 1972).
void fit_memory_knee(const std::vector<Pressure>& pressures, v1::Predictor& predictor);

}  // namespace adamec::train
