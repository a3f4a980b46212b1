#include "adamec/train/cross_validation.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <map>
#include <memory>
#include <utility>

#include "adamec/predict/predictor.h"
#include "adamec/predict/work.h"
#include "adamec/proto/latency.h"
#include "adamec/train/combination_fit.h"
#include "adamec/train/fit.h"
#include "adamec/train/folds.h"

namespace adamec::train {
namespace {

double ratio(double a, double b) { return a > 0 && b > 0 ? a / b : 0; }

// What is left for training.
TrainingData rest_of(const TrainingData& data, const Fold& fold) {
  TrainingData rest;
  rest.host = data.host;
  rest.parts = data.parts;
  rest.pressures = data.pressures;
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    if (!fold.measurements[i]) rest.measurements.push_back(data.measurements[i]);
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    if (!fold.slowdowns[i]) rest.slowdowns.push_back(data.slowdowns[i]);
  }
  for (std::size_t i = 0; i < data.composites.size(); ++i) {
    if (!fold.hidden_composites[i]) rest.composites.push_back(data.composites[i]);
  }
  return rest;
}

Outcome outcome_of(const Composite& block, double predicted_us, std::size_t fold) {
  return {block.whole_model() ? Outcome::Subject::kModel : Outcome::Subject::kBlock,
          "",
          block.sample->sample_atom(),
          block.threads,
          block.cpu_load,
          block.us,
          predicted_us,
          fold,
          ratio(block.even_us, block.odd_us)};
}

struct FoldResult {
  std::unique_ptr<predict::Predictor> predictor;  // null when nothing was left to train with
  std::vector<Outcome> outcomes;
};

FoldResult run_fold(const TrainingData& data, const Fold& fold, std::size_t index,
                    std::uint64_t seed) {
  const TrainingData rest = rest_of(data, fold);
  FoldResult result;
  if (rest.measurements.empty()) return result;
  result.predictor =
      std::make_unique<predict::Predictor>(fit_predictor(rest, seed), "cross-validation");
  const auto add = [&](const v1::Sample& sample, const predict::RunContext& context,
                       double measured_us, double repeat_ratio) {
    const predict::Prediction prediction = result.predictor->predict(sample, context);
    result.outcomes.push_back({Outcome::Subject::kAtom,
                               predict::work_of(sample, context.threads).class_key,
                               sample.sample_atom(), context.threads, context.cpu_load, measured_us,
                               prediction.p50_ms * 1000, index, repeat_ratio});
  };
  // Synthetic configurations (of no model) are there to learn from; what counts are models' own.
  const bool models_known = std::any_of(data.measurements.begin(), data.measurements.end(),
                                        [](const Measurement& m) { return !m.models.empty(); });
  for (std::size_t i = 0; i < data.measurements.size(); ++i) {
    const Measurement& held = data.measurements[i];
    if (!fold.measurements[i] || (models_known && held.models.empty())) continue;
    add(*held.sample, {held.threads, 0}, held.us, ratio(held.even_us, held.odd_us));
  }
  for (std::size_t i = 0; i < data.slowdowns.size(); ++i) {
    const Slowdown& held = data.slowdowns[i];
    if (!fold.slowdowns[i] || (models_known && held.sample->models().empty())) continue;
    const auto [even_us, odd_us] = halves(*held.sample);
    add(*held.sample, {held.threads, held.cpu_load}, held.unloaded_us * held.ratio,
        ratio(even_us, odd_us));
  }
  for (std::size_t i = 0; i < data.composites.size(); ++i) {
    const Composite& held = data.composites[i];
    if (!fold.composites[i]) continue;
    const predict::Prediction prediction =
        result.predictor->predict_block(*held.sample, data.parts, {held.threads, held.cpu_load});
    result.outcomes.push_back(outcome_of(held, prediction.p50_ms * 1000, index));
  }
  return result;
}

// Predicts blocks from the predictions of their parts in the folds that left the parts out.
class BlockFolds {
 public:
  BlockFolds(const TrainingData& data, const WorkKeys& keys, const Folds& folds,
             const std::vector<FoldResult>& results)
      : data_(data), keys_(keys), folds_(folds), results_(results) {
    for (const auto& [signature, part] : data.parts) {
      classes_.try_emplace(predict::work_of(*part, 1).class_key, static_cast<int>(classes_.size()));
    }
  }

  std::vector<Outcome> run() {
    for (const Composite& block : data_.composites) terms_.push_back(terms_of(block));
    std::map<std::string, std::size_t> fold_of_model;  // as evenly as they come
    std::vector<Outcome> outcomes;
    for (const Composite& block : data_.composites) {
      const std::string& model = block.models.empty() ? "" : *block.models.begin();
      fold_of_model.try_emplace(model, fold_of_model.size() % results_.size());
    }
    for (std::size_t fold = 0; fold < results_.size(); ++fold) {
      const auto held = [&](const Composite& block) {
        const std::string& model = block.models.empty() ? "" : *block.models.begin();
        return fold_of_model.at(model) == fold;
      };
      const auto savings = fit_without(held);
      for (std::size_t i = 0; i < data_.composites.size(); ++i) {
        const Composite& block = data_.composites[i];
        if (!held(block)) continue;
        const auto known = savings.find(block.threads);
        const double us = known == savings.end()
                              ? terms_[i].sum_us * terms_[i].slowdown + terms_[i].waiting_us
                              : known->second.block_us(terms_[i]);
        outcomes.push_back(outcome_of(block, us, fold));
      }
    }
    return outcomes;
  }

 private:
  template <typename Held>
  std::map<unsigned, predict::Combination> fit_without(const Held& held) const {
    std::map<unsigned, std::vector<MeasuredBlock>> by_threads;
    for (std::size_t i = 0; i < data_.composites.size(); ++i) {
      const Composite& block = data_.composites[i];
      if (held(block) || block.cpu_load > 0) continue;
      by_threads[block.threads].push_back(
          {terms_[i], block.us, noise_variance(block.even_us, block.odd_us)});
    }
    std::map<unsigned, predict::Combination> savings;
    for (const auto& [threads, blocks] : by_threads) {
      savings.emplace(threads,
                      predict::Combination(fit_combination(blocks, threads), "cross-validation"));
    }
    return savings;
  }

  predict::BlockTerms terms_of(const Composite& block) const {
    const v1::Sample& sample = *block.sample;
    const auto parts = static_cast<std::size_t>(sample.parts_size());
    const std::vector<int> feeder = predict::feeders(parts, predict::edges_of(sample));
    const auto class_of = [&](int part) {
      return classes_.at(predict::work_of(*data_.parts.at(sample.parts(part)), 1).class_key);
    };
    predict::BlockTerms terms;
    terms.atoms = parts;
    std::vector<predict::Footprint> footprints;
    for (const std::string& part : sample.parts()) {
      footprints.push_back(
          predict::footprint_of(predict::work_of(*data_.parts.at(part), block.threads)));
    }
    terms.add_cold(footprints, predict::edges_of(sample));
    std::vector<predict::PartTimes> times;
    double typical = 0;
    for (std::size_t i = 0; i < parts; ++i) {
      const auto part = static_cast<int>(i);
      const predict::Predictor* predictor = predictor_for(sample.parts(part));
      if (predictor == nullptr) continue;
      v1::Sample atom;
      const v1::Configuration& configuration = *data_.parts.at(sample.parts(part));
      atom.set_signature(configuration.signature());
      atom.set_kind(configuration.kind());
      *atom.mutable_operators() = configuration.operators();
      atom.set_macs(configuration.macs());
      atom.set_weight_bytes(configuration.weight_bytes());
      const double us = predictor->predict(atom, {block.threads, 0}).p50_ms * 1000;
      times.push_back(
          {us, predictor->predict(atom, {block.threads, block.cpu_load}).p50_ms * 1000});
      typical = predictor->typical_slowdown(block.threads, block.cpu_load);
      terms.sum_us += us;
      terms.least_us = i == 0 ? us : std::min(terms.least_us, us);
      if (feeder[i] < 0) continue;
      terms.fed.push_back({class_of(feeder[i]), class_of(part), us});
    }
    terms.set_slowdown(predict::block_slowdown(times, typical));
    return terms;
  }

  // A part that was never measured by itself is new to every fold.
  const predict::Predictor* predictor_for(const std::string& part) const {
    const auto fold = folds_.fold_of_work.find(keys_.of_part(part));
    return results_[fold == folds_.fold_of_work.end() ? 0 : fold->second].predictor.get();
  }

  const TrainingData& data_;
  const WorkKeys& keys_;
  const Folds& folds_;
  const std::vector<FoldResult>& results_;
  std::map<std::string, int> classes_;
  std::vector<predict::BlockTerms> terms_;
};

}  // namespace

double Outcome::log_error() const { return std::log(measured_us / predicted_us); }

std::vector<Outcome> cross_validate(const TrainingData& data, HoldOut hold_out, std::uint64_t seed,
                                    unsigned workers) {
  const WorkKeys keys(data);
  const Folds folds = folds_of(data, keys, hold_out, seed);
  std::vector<FoldResult> results(folds.folds.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < results.size(); i = next++) {
      results[i] = run_fold(data, folds.folds[i], i, seed);
    }
  };
  std::vector<std::future<void>> others;
  for (unsigned i = 1; i < workers; ++i) others.push_back(std::async(std::launch::async, work));
  work();
  for (auto& other : others) other.get();
  std::vector<Outcome> outcomes;
  for (const FoldResult& result : results) {
    outcomes.insert(outcomes.end(), result.outcomes.begin(), result.outcomes.end());
  }
  if (hold_out == HoldOut::kConfig && results.size() > 1 && !data.composites.empty()) {
    const auto blocks = BlockFolds(data, keys, folds, results).run();
    outcomes.insert(outcomes.end(), blocks.begin(), blocks.end());
  }
  return outcomes;
}

}  // namespace adamec::train
