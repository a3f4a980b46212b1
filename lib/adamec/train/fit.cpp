#include "adamec/train/fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "adamec/base/version.h"
#include "adamec/predict/baseline.h"
#include "adamec/predict/compiled_predictor.h"
#include "adamec/predict/features.h"
#include "adamec/predict/memory_knee.h"
#include "adamec/predict/signature.h"
#include "adamec/train/combination_fit.h"
#include "adamec/train/error_bounds.h"
#include "adamec/train/kriging_fit.h"
#include "adamec/train/memory_knee_fit.h"
#include "adamec/train/xgboost_trainer.h"

namespace adamec::train {
namespace {

// Fewer measurements do not determine three coefficients: the roofline is scaled to them instead.
constexpr std::size_t kLeastPoints = 4;
constexpr std::size_t kFewRows = 200;  // for trees of their own
// Standard deviations of a logarithm.
constexpr double kLeastNoise = 0.03;
constexpr double kUnknownNoise = 0.05;
// Ratios beyond are no slowdowns, whatever the file says; the trees take neither 0 nor infinity.
double plausible(double ratio) { return std::clamp(ratio, 0.1, 1e4); }

// What the slowdown may depend on: kinds and amounts of work, not shapes. There are few loads and
// the ratios are noisy.
const std::set<std::string> kSlowdownFeatures = {
    "cpu_load",      "log_macs", "log_bytes_in", "log_bytes_out", "log_weight_bytes",
    "log_intensity", "operator", "threads",      "log_baseline"};

void add_baseline(v1::Predictor& predictor, const std::string& operator_key, unsigned threads,
                  const std::string& backend, const predict::LinearCost& cost,
                  std::size_t samples) {
  v1::Baseline& baseline = *predictor.add_baselines();
  baseline.set_operator_(operator_key);
  baseline.set_threads(threads);
  baseline.set_backend(backend);
  baseline.set_us_per_mac(cost.us_per_mac);
  baseline.set_us_per_byte(cost.us_per_byte);
  baseline.set_constant_us(cost.constant_us);
  baseline.set_samples(static_cast<std::uint32_t>(samples));
}

predict::LinearCost fit_group(const std::vector<predict::CostPoint>& points,
                              const predict::LinearCost& roofline) {
  if (points.size() >= kLeastPoints) return predict::fit_cost(points);
  double log_ratio = 0;
  for (const predict::CostPoint& point : points) {
    log_ratio += std::log(point.us / roofline.us(point.macs, point.bytes));
  }
  const double scale = std::exp(log_ratio / static_cast<double>(points.size()));
  if (!std::isfinite(scale)) return predict::fit_cost(points);  // the roofline is zero here
  return {roofline.us_per_mac * scale, roofline.us_per_byte * scale, roofline.constant_us * scale};
}

void add_vocabulary(const TrainingData& data, v1::Predictor& predictor) {
  std::set<std::string> operators;
  std::set<std::string> backends;
  for (const Measurement& measurement : data.measurements) {
    const predict::Work work = predict::work_of(*measurement.sample, measurement.threads);
    operators.insert(work.class_key);
    backends.insert(work.backend);
  }
  for (const std::string& name : operators) predictor.add_operators(name);
  for (const std::string& name : backends) predictor.add_backends(name);
  for (const std::string& name : predict::feature_names()) predictor.add_features(name);
}

// The row of features as the evaluator will fill it.
std::vector<float> row_of(const v1::Predictor& predictor, const predict::Baselines& baselines,
                          const v1::Sample& sample, unsigned threads, double load,
                          double* log_baseline) {
  const predict::Work work = predict::work_of(sample, threads);
  const predict::Baselines::Match match = baselines.find(work, threads);
  const predict::RowKey key = predict::row_key(predictor, work);
  *log_baseline = predict::log_baseline_us(match.cost, work);
  std::vector<float> row;
  predict::fill_features(
      work, {key.operator_index, key.backend_index, match.threads, load, *log_baseline}, row);
  return row;
}

// What trees are fitted to.
struct TreeRows {
  Matrix rows{predict::feature_names().size(), {}};
  std::vector<float> labels;
  std::vector<float> weights;

  void add(const std::vector<float>& row, double label, double weight) {
    rows.add_row(row);
    labels.push_back(static_cast<float>(label));
    weights.push_back(static_cast<float>(weight));
  }
};

void fit_residual(const TrainingData& data, const predict::Baselines& baselines, std::uint64_t seed,
                  v1::Predictor& predictor) {
  TreeRows all;
  std::map<unsigned, TreeRows> by_threads;
  Matrix rows{predict::feature_names().size(), {}};
  std::vector<KrigingPoint> points;
  for (const Measurement& measurement : data.measurements) {
    double log_baseline = 0;
    const std::vector<float> row =
        row_of(predictor, baselines, *measurement.sample, measurement.threads, 0, &log_baseline);
    rows.add_row(row);
    const double residual = std::log(measurement.us) - log_baseline;
    const double variance = noise_variance(measurement.even_us, measurement.odd_us);
    const double weight = kLeastNoise * kLeastNoise / variance;
    all.add(row, residual, weight);
    by_threads[measurement.threads].add(row, residual, weight);
    const predict::RowKey key =
        predict::row_key(predictor, predict::work_of(*measurement.sample, measurement.threads));
    points.push_back(
        {key.operator_index, measurement.threads, key.backend_index, residual, variance});
  }
  // Chosen on the networks of the zoo, one thread, configurations left out. Half as many trees, or
  // trees shared by all numbers of threads, put about 1 % fewer within 10 %, shallower ones 4 %;
  // more or deeper ones change nothing.
  BoostOptions options;
  options.rounds = 200;
  options.depth = 6;
  options.learning_rate = 0.1;
  options.l2 = 1;
  options.rows_per_tree = 0.8;
  options.columns_per_tree = 0.6;
  options.least_child_rows = 2;
  options.seed = seed;
  for (const auto& [threads, own] : by_threads) {
    // Few measurements are better off with those of other numbers of threads.
    const TreeRows& used = own.labels.size() < kFewRows ? all : own;
    v1::ThreadTrees& of_threads = *predictor.add_residuals();
    of_threads.set_threads(threads);
    *of_threads.mutable_trees() =
        BoostedTrees(used.rows, used.labels, options, used.weights).ensemble();
  }
  fit_krigings(rows, points, predictor);
}

void fit_slowdown(const TrainingData& data, const predict::Baselines& baselines, std::uint64_t seed,
                  v1::Predictor& predictor) {
  if (data.slowdowns.empty()) return;
  const std::vector<std::string>& names = predict::feature_names();
  Matrix rows{names.size(), {}};
  std::vector<float> labels;
  std::set<double> loads;
  for (const Slowdown& slowdown : data.slowdowns) {
    double log_baseline = 0;
    std::vector<float> row = row_of(predictor, baselines, *slowdown.sample, slowdown.threads,
                                    slowdown.cpu_load, &log_baseline);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!kSlowdownFeatures.contains(names[i])) row[i] = std::numeric_limits<float>::quiet_NaN();
    }
    rows.add_row(row);
    labels.push_back(static_cast<float>(plausible(slowdown.ratio)));
    loads.insert(slowdown.cpu_load);
  }
  BoostOptions options;
  options.rounds = 80;
  options.depth = 3;
  options.learning_rate = 0.1;
  options.l2 = 3;
  options.least_child_rows = 2;
  options.log_of_mean = true;  // for it is means that add up to a model's
  options.monotone.assign(names.size(), 0);
  options.monotone[predict::kLoadColumn] = 1;
  options.seed = seed;
  *predictor.mutable_slowdown() = BoostedTrees(rows, labels, options).ensemble();
  for (const double load : loads) predictor.add_slowdown_loads(load);
}

// The median, as some atoms slow down many times as much (combination.h).
void fit_typical_slowdowns(const TrainingData& data, v1::Predictor& predictor) {
  std::map<unsigned, std::map<double, std::vector<double>>> ratios;
  for (const Slowdown& slowdown : data.slowdowns) {
    ratios[slowdown.threads][slowdown.cpu_load].push_back(plausible(slowdown.ratio));
  }
  for (auto& [threads, by_load] : ratios) {
    if (by_load.size() != static_cast<std::size_t>(predictor.slowdown_loads_size())) continue;
    v1::TypicalSlowdown& typical = *predictor.add_typical_slowdowns();
    typical.set_threads(threads);
    double previous = 0;
    for (auto& [load, of_load] : by_load) {
      const auto middle = of_load.begin() + static_cast<std::ptrdiff_t>(of_load.size() / 2);
      std::nth_element(of_load.begin(), middle, of_load.end());
      previous = std::max(previous, std::log(*middle));
      typical.add_log_slowdowns(previous);
    }
  }
}

void fit_combinations(const TrainingData& data, v1::Predictor& predictor) {
  const predict::CompiledPredictor compiled(predictor, "atoms");
  std::map<unsigned, std::vector<MeasuredBlock>> by_threads;
  for (const Composite& composite : data.composites) {
    if (composite.cpu_load > 0) continue;  // the gains are learnt where they can be seen best
    std::vector<predict::CompiledPredictor::Part> parts;
    for (const std::string& part : composite.sample->parts()) {
      parts.push_back({predict::work_of(*data.parts.at(part), composite.threads), part});
    }
    bool extrapolated = false;
    const predict::BlockTerms terms = compiled.block_terms(
        parts, predict::edges_of(*composite.sample), {composite.threads, 0}, &extrapolated);
    by_threads[composite.threads].push_back(
        {terms, composite.us, noise_variance(composite.even_us, composite.odd_us)});
  }
  for (const auto& [threads, blocks] : by_threads) {
    *predictor.add_combinations() = fit_combination(blocks, threads);
  }
}

}  // namespace

double noise_variance(double even_us, double odd_us) {
  // Half of what the two halves differ; unknown: as much as on a busy machine.
  const double noise = even_us > 0 && odd_us > 0 ? std::log(even_us / odd_us) / 2 : kUnknownNoise;
  return kLeastNoise * kLeastNoise + noise * noise;
}

void add_measured(const TrainingData& data, v1::Predictor& predictor) {
  std::map<std::pair<std::uint64_t, unsigned>, double> measured;
  for (const Measurement& measurement : data.measurements) {
    const auto hash = predict::signature_hash(measurement.sample->signature());
    measured.emplace(std::pair(hash, measurement.threads), measurement.us);
  }
  for (const auto& [key, us] : measured) {
    v1::Measured& entry = *predictor.add_measured();
    entry.set_signature_hash(key.first);
    entry.set_threads(key.second);
    entry.set_us(us);
  }
  std::map<std::tuple<std::uint64_t, unsigned, double>, double> contended;
  for (const Slowdown& slowdown : data.slowdowns) {
    const auto hash = predict::signature_hash(slowdown.sample->signature());
    contended.emplace(std::tuple(hash, slowdown.threads, slowdown.cpu_load),
                      slowdown.unloaded_us * plausible(slowdown.ratio));
  }
  for (const auto& [key, us] : contended) {
    v1::Measured& entry = *predictor.add_contended();
    entry.set_signature_hash(std::get<0>(key));
    entry.set_threads(std::get<1>(key));
    entry.set_cpu_load(std::get<2>(key));
    entry.set_us(us);
  }
}

double measured_q95(const TrainingData& data) {
  std::vector<double> errors;
  for (const Measurement& measurement : data.measurements) {
    if (measurement.even_us > 0 && measurement.odd_us > 0) {
      errors.push_back(std::abs(std::log(measurement.even_us / measurement.odd_us)));
    }
  }
  return conformal_q95(std::move(errors));
}

void fit_baselines(const TrainingData& data, v1::Predictor& predictor) {
  std::map<unsigned, std::vector<predict::CostPoint>> by_threads;
  std::map<std::tuple<std::string, unsigned, std::string>, std::vector<predict::CostPoint>> groups;
  for (const Measurement& measurement : data.measurements) {
    const predict::Work work = predict::work_of(*measurement.sample, measurement.threads);
    const predict::CostPoint point{work.macs, work.bytes(), measurement.us};
    by_threads[measurement.threads].push_back(point);
    groups[{work.class_key, measurement.threads, work.backend}].push_back(point);
    groups[{work.class_key, measurement.threads, predict::kAnyBackend}].push_back(point);
  }
  std::map<unsigned, predict::LinearCost> rooflines;
  for (const auto& [threads, points] : by_threads) {
    rooflines[threads] = predict::fit_cost(points);
    add_baseline(predictor, "", threads, predict::kAnyBackend, rooflines[threads], points.size());
  }
  for (const auto& [key, points] : groups) {
    const auto& [operator_key, threads, backend] = key;
    add_baseline(predictor, operator_key, threads, backend, fit_group(points, rooflines[threads]),
                 points.size());
  }
}

v1::Predictor fit_predictor(const TrainingData& data, std::uint64_t seed) {
  v1::Predictor predictor;
  predictor.set_format_version(predict::kPredictorFormatVersion);
  predictor.set_adamec_version(version());
  *predictor.mutable_host() = data.host;
  predictor.set_seed(seed);
  add_vocabulary(data, predictor);
  fit_baselines(data, predictor);
  const predict::Baselines baselines(predictor.baselines(), "baselines");
  fit_residual(data, baselines, seed, predictor);
  fit_slowdown(data, baselines, seed, predictor);
  fit_typical_slowdowns(data, predictor);
  add_measured(data, predictor);
  fit_memory_knee(data.pressures, predictor);
  fit_combinations(data, predictor);
  return predictor;
}

}  // namespace adamec::train
