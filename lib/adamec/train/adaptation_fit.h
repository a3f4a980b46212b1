#pragma once

#include <string>
#include <vector>

#include "adamec/train/cross_validation.h"
#include "adamec/train/trainer.h"
#include "adamec/train/training_data.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::train {

// A predictor of another device, adapted to this one from few samples (up to about 50; with many
// more, training from scratch is better).
//
// Per number of threads three ratios of the devices are fitted (time per multiplication, per byte,
// per call), then a factor per operator, shrunken towards 1 (adaptation.h), and what is left is
// interpolated (kriging.h). Everything else (residuals, slowdown, savings of combining) is the
// base's.
struct AdaptResult {
  v1::Predictor predictor;
  // Of what was left out of the adaptation, each configuration once. What adapting costs:
  std::vector<Outcome> adapted;
  std::vector<Outcome> unadapted;     // the base as it is, on the same
  std::vector<Outcome> from_scratch;  // trained from these samples alone, on the same
};

// `base` must be a valid predictor; `source` is its name in messages. Throws Error when it has been
// adapted itself already.
[[nodiscard]] AdaptResult adapt(const v1::Predictor& base, const std::string& source,
                                const TrainingData& data, const TrainOptions& options);

}  // namespace adamec::train
