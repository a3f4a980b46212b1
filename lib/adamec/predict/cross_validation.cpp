#include "adamec/predict/cross_validation.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <utility>

#include "adamec/predict/fit.h"
#include "adamec/predict/predictor.h"
#include "adamec/predict/work.h"

namespace adamec::predict {
namespace {

constexpr double kLargestBound = 40;  // evaluators take no more

// Marks of what a fold holds out, by index in TrainingData.
struct Fold {
  std::vector<char> measurements;
  std::vector<char> slowdowns;
};

Fold empty_fold(const TrainingData& data) {
  return {std::vector<char>(data.measurements.size(), 0),
          std::vector<char>(data.slowdowns.size(), 0)};
}

// A fold that holds out the given signatures.
Fold fold_of(const TrainingData& data, const std::set<std::string>& signatures) {
  Fold fold = empty_fold(data);
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    fold.measurements[i] = signatures.contains(data.measurements[i].sample->signature());
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    fold.slowdowns[i] = signatures.contains(data.slowdowns[i].sample->signature());
  }
  return fold;
}

// Fisher-Yates on the generator's own numbers: std::shuffle differs between libraries.
void shuffle(std::vector<std::string>& items, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[generator() % i]);
}

std::vector<Fold> config_folds(const TrainingData& data, std::uint64_t seed) {
  std::set<std::string> distinct;
  for (const auto& measurement : data.measurements) {
    distinct.insert(measurement.sample->signature());
  }
  std::vector<std::string> signatures(distinct.begin(), distinct.end());
  shuffle(signatures, seed);
  const std::size_t wanted = signatures.size() < 500 ? 10 : 5;
  const std::size_t count = std::min(signatures.size(), wanted);
  std::vector<Fold> folds;
  for (std::size_t part = 0; part < count; ++part) {
    std::set<std::string> held;
    for (std::size_t i = part; i < signatures.size(); i += count) held.insert(signatures[i]);
    folds.push_back(fold_of(data, held));
  }
  return folds;
}

std::vector<Fold> model_folds(const TrainingData& data) {
  std::map<std::string, std::set<std::string>> by_model;
  for (const Measurement& measurement : data.measurements) {
    for (const std::string& model : measurement.models) {
      by_model[model].insert(measurement.sample->signature());
    }
  }
  std::vector<Fold> folds;
  for (const auto& [model, signatures] : by_model) folds.push_back(fold_of(data, signatures));
  return folds;
}

std::vector<Fold> context_folds(const TrainingData& data) {
  std::map<std::pair<unsigned, double>, Fold> folds;
  const auto fold_at = [&](unsigned threads, double load) -> Fold& {
    return folds.try_emplace({threads, load}, empty_fold(data)).first->second;
  };
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    fold_at(data.measurements[i].threads, 0).measurements[i] = 1;
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    fold_at(data.slowdowns[i].threads, data.slowdowns[i].cpu_load).slowdowns[i] = 1;
  }
  std::vector<Fold> result;
  for (auto& [context, fold] : folds) result.push_back(std::move(fold));
  return result;
}

std::vector<Fold> folds_of(const TrainingData& data, HoldOut hold_out, std::uint64_t seed) {
  switch (hold_out) {
    case HoldOut::kModel:
      return model_folds(data);
    case HoldOut::kContext:
      return context_folds(data);
    case HoldOut::kConfig:
      break;
  }
  return config_folds(data, seed);
}

double ratio(double a, double b) { return a > 0 && b > 0 ? a / b : 0; }

std::vector<Outcome> run_fold(const TrainingData& data, const Fold& fold, std::size_t index,
                              std::uint64_t seed) {
  TrainingData rest;
  rest.host = data.host;
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    if (!fold.measurements[i]) rest.measurements.push_back(data.measurements[i]);
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    if (!fold.slowdowns[i]) rest.slowdowns.push_back(data.slowdowns[i]);
  }
  if (rest.measurements.empty()) return {};
  const Predictor predictor(fit_predictor(rest, seed), "cross-validation");
  std::vector<Outcome> outcomes;
  const auto add = [&](const v1::Sample& sample, const RunContext& context, double measured_us,
                       double repeat_ratio) {
    const Prediction prediction = predictor.predict(sample, context);
    outcomes.push_back({work_of(sample, context.threads).operator_key, context.threads,
                        context.cpu_load, measured_us, prediction.p50_ms * 1000, index,
                        repeat_ratio});
  };
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    const Measurement& held = data.measurements[i];
    if (!fold.measurements[i]) continue;
    add(*held.sample, {held.threads, 0}, held.us, ratio(held.even_us, held.odd_us));
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    const Slowdown& held = data.slowdowns[i];
    if (!fold.slowdowns[i]) continue;
    const v1::Latency& latency = held.sample->latency();
    add(*held.sample, {held.threads, held.cpu_load}, held.unloaded_us * held.ratio,
        ratio(latency.even_min_us(), latency.odd_min_us()));
  }
  return outcomes;
}

}  // namespace

double Outcome::log_error() const { return std::log(measured_us / predicted_us); }

std::vector<Outcome> cross_validate(const TrainingData& data, HoldOut hold_out, std::uint64_t seed,
                                    unsigned workers) {
  const std::vector<Fold> folds = folds_of(data, hold_out, seed);
  std::vector<std::vector<Outcome>> parts(folds.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < folds.size(); i = next++) {
      parts[i] = run_fold(data, folds[i], i, seed);
    }
  };
  std::vector<std::future<void>> others;
  for (unsigned i = 1; i < workers; ++i) others.push_back(std::async(std::launch::async, work));
  work();
  for (auto& other : others) other.get();
  std::vector<Outcome> outcomes;
  for (auto& part : parts) outcomes.insert(outcomes.end(), part.begin(), part.end());
  return outcomes;
}

double conformal_q95(std::vector<double> log_errors) {
  const double least_bound = std::log(2.0);
  if (log_errors.empty()) return least_bound;
  std::sort(log_errors.begin(), log_errors.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(log_errors.size() + 1)));
  if (rank > log_errors.size()) return std::clamp(log_errors.back(), least_bound, kLargestBound);
  return std::clamp(log_errors[rank - 1], 0.0, kLargestBound);
}

}  // namespace adamec::predict
