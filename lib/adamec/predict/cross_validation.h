#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adamec/predict/training_data.h"

namespace adamec::predict {

// What is left out of training and predicted afterwards. Always whole configurations (signatures),
// in all their contexts, so that no duplicate leaks; but for kContext.
enum class HoldOut {
  kConfig,   // a share of the configurations at a time, at random
  kModel,    // all configurations that a model contains
  kContext,  // a number of threads and a load
};

// One prediction of something held out, against its measurement.
struct Outcome {
  std::string operator_key;
  unsigned threads = 1;
  double cpu_load = 0;
  double measured_us = 0;
  double predicted_us = 0;
  std::size_t fold = 0;
  // Ratio of two measurements of the same, from the even and the odd visits; 0: unknown.
  double repeat_ratio = 0;

  // log(measured / predicted)
  double log_error() const;
};

// Trains without each part in turn and predicts it. Outcomes of loaded contexts compare with the
// unloaded measurement times the paired ratio. Empty when there are not two parts. Deterministic
// for any `workers`.
std::vector<Outcome> cross_validate(const TrainingData& data, HoldOut hold_out, std::uint64_t seed,
                                    unsigned workers);

// The 95 % quantile of log errors as split-conformal prediction takes it: a new error, drawn like
// these, is below with at least 95 % probability. With fewer than 19, where there is no such
// bound: the largest, at least a factor of two. Never below 0.
// (Papadopoulos et al., "Inductive Confidence Machines for Regression", ECML 2002.)
double conformal_q95(std::vector<double> log_errors);

}  // namespace adamec::predict
