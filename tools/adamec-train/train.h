#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adamec/train/accuracy.h"
#include "adamec/train/trainer.h"
#include "tools/adamec-train/options.h"

namespace adamec::tools {

struct TrainSummary {
  v1::Predictor predictor;
  std::size_t configurations = 0;  // times numbers of threads
  std::size_t loaded = 0;          // configurations under load
  std::size_t unpaired = 0;        // samples under load without an unloaded one in their round
  std::size_t preempted = 0;       // samples whose CPU time stands for their latency
  std::size_t incomplete = 0;      // blocks whose parts the files do not describe
  std::size_t other_contexts = 0;  // samples of quotas, frequencies or devices
  std::vector<train::Outcome> outcomes;   // what was left out
  std::vector<train::Accuracy> accuracy;  // of it; the last row is over all atoms
  // With --base: the same left out, predicted by the base as it is and by these samples alone.
  std::optional<train::Accuracy> unadapted;
  std::optional<train::Accuracy> from_scratch;
  v1::Host base_host;

  // What people should know of the samples, a line each.
  [[nodiscard]] std::vector<std::string> warnings() const;
};

// Trains and validates; writes nothing. Throws Error for bad samples.
[[nodiscard]] TrainSummary train_and_validate(const TrainConfig& config);

// Throws Error when a mean absolute error is more than --max-error.
void check_max_error(const TrainConfig& config, const TrainSummary& summary);

// For people: how much was learnt, and, but with --validate none, how well it predicts what was
// left out.
[[nodiscard]] std::vector<std::string> summary_lines(const TrainConfig& config,
                                                     const TrainSummary& summary);
// The summary and the whole table.
[[nodiscard]] std::string summary_json(const TrainConfig& config, const TrainSummary& summary);
// The same with plots.
[[nodiscard]] std::string summary_html(const TrainConfig& config, const TrainSummary& summary);

}  // namespace adamec::tools
