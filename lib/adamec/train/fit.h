#pragma once

#include <cstdint>

#include "adamec/train/training_data.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::train {

// Fits everything of a predictor but its error quantiles to all of `data`: baselines, residual
// trees and kriging, slowdown trees, memory knee, savings of combining; and lists the measured
// configurations. Deterministic.
[[nodiscard]] v1::Predictor fit_predictor(const TrainingData& data, std::uint64_t seed);

// The same for baselines alone: per number of threads a roofline (operator "") over all operators,
// and per operator one for each kernel family and one for all together. With few measurements the
// roofline in scale.
void fit_baselines(const TrainingData& data, v1::Predictor& predictor);

// Variance of a measured latency's logarithm, from even and odd visits (0: unknown).
[[nodiscard]] double noise_variance(double even_us, double odd_us);

// Lists what was measured, without load and with.
void add_measured(const TrainingData& data, v1::Predictor& predictor);

// How far a measurement lies above another one of the same configuration, with 95 %.
[[nodiscard]] double measured_q95(const TrainingData& data);

}  // namespace adamec::train
