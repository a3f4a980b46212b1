#pragma once

#include <string>
#include <vector>

#include "adamec/predict/accuracy.h"
#include "adamec/predict/trainer.h"
#include "tools/adamec-train/options.h"

namespace adamec::tools {

struct TrainSummary {
  v1::Predictor predictor;
  std::size_t configurations = 0;  // times numbers of threads
  std::size_t loaded = 0;          // configurations under load
  std::size_t unpaired = 0;        // samples under load without an unloaded one in their round
  std::vector<predict::Accuracy> accuracy;  // of what was left out; the last row is over all
};

// Trains and validates; writes nothing. Throws Error for bad samples.
TrainSummary train(const TrainConfig& config);

// Throws Error when the mean absolute error is more than --max-error.
void check_max_error(const TrainConfig& config, const TrainSummary& summary);

// One line for people: how much was learnt and how well it predicts.
std::string summary_line(const TrainConfig& config, const TrainSummary& summary);
// The summary and the whole table.
std::string summary_json(const TrainConfig& config, const TrainSummary& summary);

}  // namespace adamec::tools
