#pragma once

#include <cstdint>

#include "adamec/predict/training_data.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// Fits baselines, residual trees and slowdown trees to all of `data` and lists the measured
// configurations; everything of a predictor but its error quantiles. Deterministic.
v1::Predictor fit_predictor(const TrainingData& data, std::uint64_t seed);

// The same for baselines alone: per number of threads a roofline (operator "") over all operators,
// and per operator one for each kernel family and one for all together. With few measurements the
// roofline in scale.
void fit_baselines(const TrainingData& data, v1::Predictor& predictor);

}  // namespace adamec::predict
