#include "adamec/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "adamec/predict/baseline.h"
#include "adamec/predict/compiled_predictor.h"
#include "adamec/train/accuracy.h"
#include "adamec/train/error_bounds.h"
#include "adamec/train/fit.h"

namespace adamec::train {
namespace {

// How far operators lie above a roofline that was fitted without them.
double unseen_q95(const TrainingData& data) {
  std::map<std::string, std::vector<const Measurement*>> by_operator;
  for (const Measurement& measurement : data.measurements) {
    const predict::Work work = predict::work_of(*measurement.sample, measurement.threads);
    by_operator[work.class_key].push_back(&measurement);
  }
  std::vector<double> errors;
  for (const auto& [operator_key, held] : by_operator) {
    TrainingData rest;
    for (const Measurement& measurement : data.measurements) {
      const predict::Work work = predict::work_of(*measurement.sample, measurement.threads);
      if (work.class_key != operator_key) rest.measurements.push_back(measurement);
    }
    if (rest.measurements.empty()) continue;
    v1::Predictor fitted;
    fit_baselines(rest, fitted);
    const predict::Baselines baselines(fitted.baselines(), "baselines");
    for (const Measurement* measurement : held) {
      const predict::Work work = predict::work_of(*measurement->sample, measurement->threads);
      const auto match = baselines.find(work, measurement->threads);
      errors.push_back(std::log(measurement->us) - predict::log_baseline_us(match.cost, work));
    }
  }
  return conformal_q95(std::move(errors));
}

void set_bounds(const TrainingData& data, const std::vector<Outcome>& outcomes,
                v1::Predictor& predictor) {
  const ErrorBounds bounds(outcomes);
  const auto& names = predictor.operators();
  for (const auto& [key, q95] : bounds.operators()) {
    v1::Bound& bound = *predictor.add_bounds();
    const auto at = std::lower_bound(names.begin(), names.end(), key.first);
    bound.set_operator_index(static_cast<std::uint32_t>(at - names.begin()));
    bound.set_threads(key.second);
    bound.set_q95(q95);
  }
  predictor.set_residual_q95(bounds.others());
  predictor.set_measured_q95(std::min(measured_q95(data), bounds.all_atoms()));
  predictor.set_contended_q95(bounds.loaded());
  predictor.set_unseen_q95(std::max(unseen_q95(data), bounds.others()));
  for (v1::Combination& combination : *predictor.mutable_combinations()) {
    combination.set_block_q95(bounds.blocks());
    combination.set_model_q95(bounds.models());
  }
}

void add_figures(const std::vector<Outcome>& outcomes, v1::Predictor& predictor) {
  if (outcomes.empty()) return;
  const std::vector<Accuracy> table = accuracy_table(outcomes);
  const Accuracy& all = table.back();
  const auto add = [&](const char* name, double value) {
    if (!std::isfinite(value)) return;
    v1::Figure& figure = *predictor.add_validation();
    figure.set_name(name);
    figure.set_value(value);
  };
  add("config.count", static_cast<double>(all.count));
  add("config.within_5_percent", all.within_5);
  add("config.within_10_percent", all.within_10);
  add("config.within_15_percent", all.within_15);
  add("config.mape_percent", all.mape);
  add("config.median_ape_percent", all.median_ape);
  add("config.p95_coverage_percent", all.p95_coverage);
  add("repeatability.within_10_percent", all.repeat_within_10);
  for (const Accuracy& row : table) {
    if (row.group != "blocks" && row.group != "models") continue;
    add((row.group + ".within_10_percent").c_str(), row.within_10);
    add((row.group + ".mape_percent").c_str(), row.mape);
  }
}

}  // namespace

TrainResult train(const TrainingData& data, const TrainOptions& options) {
  TrainResult result;
  result.predictor = fit_predictor(data, options.seed);
  result.outcomes = cross_validate(data, HoldOut::kConfig, options.seed, options.workers);
  set_bounds(data, result.outcomes, result.predictor);
  result.predictor.set_training_sha256(options.training_sha256);
  add_figures(result.outcomes, result.predictor);
  return result;
}

}  // namespace adamec::train
