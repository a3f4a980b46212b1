#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adamec/train/training_data.h"

namespace adamec::train {

// What is left out of training and predicted afterwards. Always whole configurations, in all their
// contexts and under all the names the same work has (work_key), so that no duplicate leaks; but
// for kContext.
enum class HoldOut {
  kConfig,   // a share of the configurations at a time, at random
  kModel,    // all configurations that a model contains
  kContext,  // a number of threads and a load
  kBlock,    // blocks and the whole of a model, while its atoms are measured: what combining takes
};

// One prediction of something held out, against its measurement.
struct Outcome {
  enum class Subject { kAtom, kBlock, kModel };

  Subject subject = Subject::kAtom;
  std::string operator_key;  // its class (Work::class_key); empty for blocks and models
  std::string name;          // where it occurs: "resnet18/conv1.conv2d"
  unsigned threads = 1;
  double cpu_load = 0;
  double measured_us = 0;
  double predicted_us = 0;
  std::size_t fold = 0;
  // Ratio of two measurements of the same, from the even and the odd visits; 0: unknown.
  double repeat_ratio = 0;

  // log(measured / predicted)
  [[nodiscard]] double log_error() const;
};

// Trains without each part in turn and predicts it. Outcomes of loaded contexts compare with the
// unloaded measurement times the paired ratio. Empty when there are not two parts. Deterministic
// for any `workers`.
//
// Blocks and models are predicted from atoms none of which was in the training: kConfig takes each
// part from the fold that left it out, and the savings of combining from the blocks of other
// models; kModel predicts all blocks of the model left out. Synthetic configurations are only
// trained with, unless there are no others.
[[nodiscard]] std::vector<Outcome> cross_validate(const TrainingData& data, HoldOut hold_out,
                                                  std::uint64_t seed, unsigned workers);

}  // namespace adamec::train
