#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/train/cross_validation.h"
#include "adamec/train/training_data.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::train {

struct TrainOptions {
  std::uint64_t seed = 1;
  unsigned workers = 1;         // threads; the result does not depend on them
  std::string training_sha256;  // what the predictor says it was trained from
};

struct TrainResult {
  v1::Predictor predictor;
  std::vector<Outcome> outcomes;  // of held out configurations; empty when there is only one
};

// A predictor from measured latencies: fit_predictor() on all of them, with error quantiles and
// validation figures from cross-validation over configurations. Same data and seed, same bytes.
[[nodiscard]] TrainResult train(const TrainingData& data, const TrainOptions& options);

}  // namespace adamec::train
