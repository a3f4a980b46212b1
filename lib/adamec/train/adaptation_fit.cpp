#include "adamec/train/adaptation_fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/version.h"
#include "adamec/predict/compiled_predictor.h"
#include "adamec/predict/predictor.h"
#include "adamec/train/accuracy.h"
#include "adamec/train/error_bounds.h"
#include "adamec/train/fit.h"
#include "adamec/train/folds.h"
#include "adamec/train/kriging_fit.h"

namespace adamec::train {
namespace {

// Counts as much as this many samples against a factor of an operator's own.
constexpr double kFactorPrior = 2;
constexpr double kRatioPrior = 0.5;  // the same, of rows, for each of the three ratios
constexpr std::size_t kMostFolds = 50;
constexpr double kLeastCallUs = 1e-6;

// A measurement as the base sees it.
struct AdaptationPoint {
  predict::Work work;
  predict::LinearCost cost;
  double residual = 0;  // log(base prediction / baseline)
  int operator_index = -1;
  double us = 0;  // measured on the new device
};

// The base without what is true of its own device only.
v1::Predictor stripped(const v1::Predictor& base) {
  v1::Predictor result = base;
  result.clear_measured();
  result.clear_contended();
  result.clear_bounds();
  result.clear_validation();
  result.clear_memory_knee();
  return result;
}

std::vector<AdaptationPoint> points_of(const predict::CompiledPredictor& base,
                                       const predict::Baselines& baselines,
                                       const std::vector<Measurement>& measurements) {
  std::vector<AdaptationPoint> points;
  for (const Measurement& measurement : measurements) {
    AdaptationPoint point;
    point.work = predict::work_of(*measurement.sample, measurement.threads);
    point.cost = baselines.find(point.work, measurement.threads).cost;
    point.residual = base.unloaded_latency(point.work, "", measurement.threads).log_us -
                     predict::log_baseline_us(point.cost, point.work);
    point.operator_index = predict::row_key(base.message(), point.work).operator_index;
    point.us = measurement.us;
    points.push_back(point);
  }
  return points;
}

double mean_log_ratio(const std::vector<AdaptationPoint>& points) {
  double sum = 0;
  for (const AdaptationPoint& point : points) {
    sum += std::log(point.us) - point.residual - predict::log_baseline_us(point.cost, point.work);
  }
  return sum / static_cast<double>(points.size());
}

// Ratios of the devices: relative least squares over the base's predictions, split into what they
// say multiplications, bytes and the call cost; drawn towards one ratio for all three.
predict::LinearCost fit_ratios(const std::vector<AdaptationPoint>& points) {
  const double common = std::exp(mean_log_ratio(points));
  std::vector<predict::CostPoint> rows;
  for (const AdaptationPoint& point : points) {
    const double scale = std::exp(point.residual);
    const double call = std::max(scale * point.cost.constant_us, kLeastCallUs);
    rows.push_back({scale * point.cost.us_per_mac * point.work.macs / call,
                    scale * point.cost.us_per_byte * point.work.bytes() / call, point.us / call});
  }
  constexpr double kFar = 1e12;  // so that the constant has no part in a row
  const double weight = std::sqrt(kRatioPrior);
  rows.push_back({weight * kFar / common, 0, kFar});
  rows.push_back({0, weight * kFar / common, kFar});
  rows.push_back({0, 0, common / weight});
  return predict::fit_cost(rows);
}

v1::Adaptation fit_adaptation(const std::vector<AdaptationPoint>& points, unsigned threads) {
  const predict::LinearCost ratios = fit_ratios(points);
  v1::Adaptation adaptation;
  adaptation.set_threads(threads);
  adaptation.set_per_mac(ratios.us_per_mac);
  adaptation.set_per_byte(ratios.us_per_byte);
  adaptation.set_constant(ratios.constant_us);
  std::map<int, std::vector<double>> by_operator;
  double sum = 0;
  for (const AdaptationPoint& point : points) {
    const double left = std::log(point.us) - point.residual -
                        predict::log_baseline_us(point.cost, point.work) -
                        predict::log_scaled(point.cost, ratios, point.work);
    by_operator[point.operator_index].push_back(left);
    sum += left;
  }
  const double mean = sum / static_cast<double>(points.size());
  adaptation.set_log_factor(mean);
  for (const auto& [operator_index, errors] : by_operator) {
    if (operator_index < 0) continue;
    double own = 0;
    for (const double error : errors) own += error - mean;
    v1::Adaptation::Factor& factor = *adaptation.add_factors();
    factor.set_operator_index(static_cast<std::uint32_t>(operator_index));
    factor.set_log_factor(own / (static_cast<double>(errors.size()) + kFactorPrior));
  }
  return adaptation;
}

// What is left after ratios and factors, in the kriging of its class: near what was measured here,
// predictions follow it.
void adapt_krigings(const predict::CompiledPredictor& base,
                    const std::vector<Measurement>& measurements, v1::Predictor& result) {
  const predict::CompiledPredictor adapted(result, "adapted");
  const double share = result.kriging_share();
  if (!(share > 0)) return;
  std::map<int, KrigingClass> classes;  // by index in krigings
  for (const Measurement& measurement : measurements) {
    const predict::Work work = predict::work_of(*measurement.sample, measurement.threads);
    const int index = base.kriging_index(work, measurement.threads);
    if (index < 0) continue;
    const double left =
        std::log(measurement.us) - adapted.unloaded_latency(work, "", measurement.threads).log_us;
    KrigingClass& same = classes[index];
    same.coordinates.push_back(base.coordinates(work, measurement.threads));
    same.residuals.push_back(left / share);
    same.variances.push_back(noise_variance(measurement.even_us, measurement.odd_us) /
                             (share * share));
  }
  for (const auto& [index, same] : classes) {
    add_differences(same, *result.mutable_krigings(index));
  }
}

v1::Predictor adapted_to(const v1::Predictor& base, const std::vector<Measurement>& measurements) {
  v1::Predictor result = stripped(base);
  const predict::CompiledPredictor compiled(result, "base");
  const predict::Baselines baselines(result.baselines(), "base");
  std::map<unsigned, std::vector<Measurement>> by_threads;
  for (const Measurement& measurement : measurements) {
    by_threads[measurement.threads].push_back(measurement);
  }
  for (const auto& [threads, same] : by_threads) {
    *result.add_adaptations() = fit_adaptation(points_of(compiled, baselines, same), threads);
  }
  adapt_krigings(compiled, measurements, result);
  for (v1::Combination& combination : *result.mutable_combinations()) {
    combination.set_call_us(
        std::min(1e6, combination.call_us() * result.adaptations(0).constant()));
  }
  return result;
}

void add_outcomes(const v1::Predictor& message, const std::vector<Measurement>& held,
                  std::size_t fold, std::vector<Outcome>& outcomes) {
  const predict::Predictor predictor(message, "transfer");
  for (const Measurement& measurement : held) {
    const auto prediction = predictor.predict(*measurement.sample, {measurement.threads, 0});
    const bool repeated = measurement.even_us > 0 && measurement.odd_us > 0;
    outcomes.push_back({Outcome::Subject::kAtom,
                        predict::work_of(*measurement.sample, measurement.threads).class_key,
                        measurement.sample->sample_atom(), measurement.threads, 0, measurement.us,
                        prediction.p50_ms * 1000, fold,
                        repeated ? measurement.even_us / measurement.odd_us : 0});
  }
}

// Each configuration once in `held`, in all its numbers of threads.
void validate(const v1::Predictor& base, const TrainingData& data, std::uint64_t seed,
              AdaptResult& result) {
  const WorkKeys keys(data);
  std::map<std::string, std::size_t> fold_of;
  for (const Measurement& measurement : data.measurements) {
    fold_of.try_emplace(keys.of(*measurement.sample), fold_of.size() % kMostFolds);
  }
  const std::size_t folds = std::min(fold_of.size(), kMostFolds);
  if (folds < 2) return;
  const v1::Predictor bare = stripped(base);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    TrainingData rest;
    rest.host = data.host;
    std::vector<Measurement> held;
    for (const Measurement& measurement : data.measurements) {
      const bool out = fold_of.at(keys.of(*measurement.sample)) == fold;
      (out ? held : rest.measurements).push_back(measurement);
    }
    add_outcomes(adapted_to(base, rest.measurements), held, fold, result.adapted);
    add_outcomes(bare, held, fold, result.unadapted);
    add_outcomes(fit_predictor(rest, seed), held, fold, result.from_scratch);
  }
}

void add_figures(const std::string& name, const std::vector<Outcome>& outcomes,
                 v1::Predictor& predictor) {
  if (outcomes.empty()) return;
  const Accuracy all = accuracy_table(outcomes).back();
  for (const auto& [figure, value] :
       {std::pair("within_10_percent", all.within_10), std::pair("mape_percent", all.mape)}) {
    v1::Figure& added = *predictor.add_validation();
    added.set_name(name + "." + figure);
    added.set_value(value);
  }
}

}  // namespace

AdaptResult adapt(const v1::Predictor& base, const std::string& source, const TrainingData& data,
                  const TrainOptions& options) {
  if (base.adaptations_size() > 0) {
    fail("{}: adapted from another device itself; take the predictor it was adapted from", source);
  }
  AdaptResult result;
  validate(base, data, options.seed, result);
  v1::Predictor& predictor = result.predictor;
  predictor = adapted_to(base, data.measurements);
  *predictor.mutable_base_host() = base.host();
  *predictor.mutable_host() = data.host;
  predictor.set_adamec_version(version());
  predictor.set_training_sha256(options.training_sha256);
  predictor.set_seed(options.seed);
  add_measured(data, predictor);
  const double q95 = ErrorBounds(result.adapted).all_atoms();
  predictor.set_residual_q95(q95);
  predictor.set_measured_q95(std::min(measured_q95(data), q95));
  predictor.set_contended_q95(std::max(q95, base.contended_q95()));
  predictor.set_unseen_q95(std::max(q95, base.unseen_q95()));
  for (v1::Combination& combination : *predictor.mutable_combinations()) {
    combination.set_block_q95(std::max(q95, combination.block_q95()));
    combination.set_model_q95(std::max(q95, combination.model_q95()));
  }
  add_figures("transfer", result.adapted, predictor);
  add_figures("transfer.unadapted", result.unadapted, predictor);
  add_figures("transfer.from_scratch", result.from_scratch, predictor);
  return result;
}

}  // namespace adamec::train
