#include "adamec/predict/trainer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "adamec/predict/accuracy.h"
#include "adamec/predict/baseline.h"
#include "adamec/predict/evaluator.h"
#include "adamec/predict/fit.h"

namespace adamec::predict {
namespace {

// How far a measurement lies above another one of the same configuration.
double measured_q95(const TrainingData& data) {
  std::vector<double> errors;
  for (const Measurement& measurement : data.measurements) {
    if (measurement.even_us > 0 && measurement.odd_us > 0) {
      errors.push_back(std::abs(std::log(measurement.even_us / measurement.odd_us)));
    }
  }
  return conformal_q95(std::move(errors));
}

// How far operators lie above a roofline that was fitted without them.
double unseen_q95(const TrainingData& data) {
  std::map<std::string, std::vector<const Measurement*>> by_operator;
  for (const Measurement& measurement : data.measurements) {
    const Work work = work_of(*measurement.sample, measurement.threads);
    by_operator[work.operator_key].push_back(&measurement);
  }
  std::vector<double> errors;
  for (const auto& [operator_key, held] : by_operator) {
    TrainingData rest;
    for (const Measurement& measurement : data.measurements) {
      const Work work = work_of(*measurement.sample, measurement.threads);
      if (work.operator_key != operator_key) rest.measurements.push_back(measurement);
    }
    if (rest.measurements.empty()) continue;
    v1::Predictor fitted;
    fit_baselines(rest, fitted);
    const Baselines baselines(fitted.baselines(), "baselines");
    for (const Measurement* measurement : held) {
      const Work work = work_of(*measurement->sample, measurement->threads);
      const auto match = baselines.find(work, measurement->threads);
      errors.push_back(std::log(measurement->us) - log_baseline_us(match.cost, work));
    }
  }
  return conformal_q95(std::move(errors));
}

void add_figures(const std::vector<Outcome>& outcomes, v1::Predictor& predictor) {
  if (outcomes.empty()) return;
  const Accuracy all = accuracy_table(outcomes).back();
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
}

}  // namespace

TrainResult train(const TrainingData& data, const TrainOptions& options) {
  TrainResult result;
  result.predictor = fit_predictor(data, options.seed);
  result.outcomes = cross_validate(data, HoldOut::kConfig, options.seed, options.workers);
  std::vector<double> unloaded;
  std::vector<double> loaded;
  for (const Outcome& outcome : result.outcomes) {
    (outcome.cpu_load > 0 ? loaded : unloaded).push_back(outcome.log_error());
  }
  v1::Predictor& predictor = result.predictor;
  predictor.set_training_sha256(options.training_sha256);
  predictor.set_residual_q95(conformal_q95(std::move(unloaded)));
  predictor.set_measured_q95(std::min(measured_q95(data), predictor.residual_q95()));
  predictor.set_contended_q95(conformal_q95(std::move(loaded)));
  predictor.set_unseen_q95(std::max(unseen_q95(data), predictor.residual_q95()));
  add_figures(result.outcomes, predictor);
  return result;
}

}  // namespace adamec::predict
