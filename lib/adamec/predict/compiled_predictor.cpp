#include "adamec/predict/compiled_predictor.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/predict/features.h"
#include "adamec/predict/limits.h"
#include "adamec/predict/signature.h"

namespace adamec::predict {
namespace {

constexpr int kMaxLoads = 100;
constexpr double kLeastLoadStep = 1e-3;

using Names = google::protobuf::RepeatedPtrField<std::string>;

int index_in(const Names& sorted, std::string_view name) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name);
  return at == sorted.end() || *at != name ? -1 : static_cast<int>(at - sorted.begin());
}

void check_sorted(const Names& names, const char* field, const std::string& source) {
  for (int i = 1; i < names.size(); ++i) {
    if (names[i - 1] >= names[i]) {
      fail("{}: {}[{}]: '{}' is not in ascending order", source, field, i, printable(names[i]));
    }
  }
}

void check_quantile(double value, const char* field, const std::string& source) {
  if (!(value >= 0 && value <= kMostLog)) {
    fail("{}: {}: {}, expected 0 to {}", source, field, value, kMostLog);
  }
}

using MeasuredList = google::protobuf::RepeatedPtrField<v1::Measured>;
using MeasuredKey = std::tuple<std::uint64_t, unsigned, double>;

MeasuredKey key_of(const v1::Measured& measured) {
  return {measured.signature_hash(), measured.threads(), measured.cpu_load()};
}

void check_measured(const MeasuredList& all, const char* field, const std::string& source) {
  for (int i = 0; i < all.size(); ++i) {
    if (!std::isfinite(all[i].us()) || all[i].us() <= 0) {
      fail("{}: {}[{}].us: {}, expected a positive number", source, field, i, all[i].us());
    }
    if (!(all[i].cpu_load() >= 0 && all[i].cpu_load() <= 1)) {
      fail("{}: {}[{}].cpu_load: {}, expected 0 to 1", source, field, i, all[i].cpu_load());
    }
    if (i > 0 && key_of(all[i - 1]) >= key_of(all[i])) {
      fail("{}: {}[{}] is not in ascending order", source, field, i);
    }
  }
}

// The latency in us where it was measured.
std::optional<double> find_measured(const MeasuredList& all, const MeasuredKey& key) {
  const auto at = std::lower_bound(
      all.begin(), all.end(), key,
      [](const v1::Measured& measured, const auto& wanted) { return key_of(measured) < wanted; });
  if (at == all.end() || key_of(*at) != key) return std::nullopt;
  return at->us();
}

// Predictors before classes of operators know them by their own names.
int operator_index(const v1::Predictor& message, const Work& work) {
  const int index = index_in(message.operators(), work.class_key);
  return index >= 0 ? index : index_in(message.operators(), work.operator_key);
}

double largest_log(double value) { return std::clamp(value, -kMostLog, kMostLog); }

}  // namespace

RowKey row_key(const v1::Predictor& message, const Work& work) {
  return {operator_index(message, work), index_in(message.backends(), work.backend)};
}

double log_baseline_us(const LinearCost& cost, const Work& work) {
  return std::log(std::max(cost.us(work.macs, work.bytes()), kLeastUs));
}

CompiledPredictor::CompiledPredictor(v1::Predictor message, const std::string& source)
    : message_(std::move(message)) {
  check_fields(source);
  const std::vector<int> columns = feature_columns(source);
  baselines_ = Baselines(message_.baselines(), source);
  read_residuals(columns, source);
  slowdown_ = Trees(message_.slowdown(), columns, source + ": slowdown");
  krigings_ = Krigings(message_, columns, source);
  memory_knee_ = MemoryKnee(message_.memory_knee(), source + ": memory_knee");
  adaptations_ = Adaptations(message_.adaptations(), source);
  read_bounds(source);
  read_combinations(source);
  read_typical_slowdowns(source);
}

void CompiledPredictor::read_residuals(const std::vector<int>& columns, const std::string& source) {
  if (message_.format_version() < 2) {
    residuals_[1] = Trees(message_.residual(), columns, source + ": residual");
    return;
  }
  for (int i = 0; i < message_.residuals_size(); ++i) {
    const v1::ThreadTrees& of_threads = message_.residuals(i);
    const std::string field = fmt::format("{}: residuals[{}]", source, i);
    if (!residuals_.emplace(of_threads.threads(), Trees(of_threads.trees(), columns, field))
             .second) {
      fail("{}: the second for {} threads", field, of_threads.threads());
    }
  }
  if (residuals_.empty()) fail("{}: residuals: there are none", source);
}

// The trees of that number of threads, or of the next smaller one, or of the smallest.
const Trees& CompiledPredictor::residual(unsigned threads) const {
  auto nearest = residuals_.upper_bound(threads);
  if (nearest != residuals_.begin()) --nearest;
  return nearest->second;
}

void CompiledPredictor::read_bounds(const std::string& source) {
  for (const v1::Bound& bound : message_.bounds()) {
    check_quantile(bound.q95(), "bounds.q95", source);
    bounds_[{static_cast<int>(bound.operator_index()), bound.threads()}] = bound.q95();
  }
}

void CompiledPredictor::read_combinations(const std::string& source) {
  for (int i = 0; i < message_.combinations_size(); ++i) {
    const v1::Combination& combination = message_.combinations(i);
    const std::string field = fmt::format("{}: combinations[{}]", source, i);
    if (!combinations_.emplace(combination.threads(), Combination(combination, field)).second) {
      fail("{}: the second for {} threads", field, combination.threads());
    }
  }
}

void CompiledPredictor::read_typical_slowdowns(const std::string& source) {
  for (int i = 0; i < message_.typical_slowdowns_size(); ++i) {
    const v1::TypicalSlowdown& typical = message_.typical_slowdowns(i);
    const std::string field = fmt::format("{}: typical_slowdowns[{}]", source, i);
    if (typical.log_slowdowns_size() != message_.slowdown_loads_size()) {
      fail("{}: {} log_slowdowns for {} slowdown_loads", field, typical.log_slowdowns_size(),
           message_.slowdown_loads_size());
    }
    double previous = 0;
    for (const double log_slowdown : typical.log_slowdowns()) {
      if (!(log_slowdown >= previous && log_slowdown <= kMostLog)) {
        fail("{}.log_slowdowns: {} after {}, expected ascending numbers up to {}", field,
             log_slowdown, previous, kMostLog);
      }
      previous = log_slowdown;
    }
    const std::vector<double> values(typical.log_slowdowns().begin(),
                                     typical.log_slowdowns().end());
    if (values.empty() || !typical_log_slowdowns_.emplace(typical.threads(), values).second) {
      fail("{}: empty, or the second for {} threads", field, typical.threads());
    }
  }
}

void CompiledPredictor::check_fields(const std::string& source) const {
  if (message_.format_version() == 0) fail("{}: not a predictor (no format_version)", source);
  if (message_.format_version() > kPredictorFormatVersion) {
    fail("{}: predictor format {}, this version reads up to {}", source, message_.format_version(),
         kPredictorFormatVersion);
  }
  check_sorted(message_.operators(), "operators", source);
  check_sorted(message_.backends(), "backends", source);
  check_quantile(message_.residual_q95(), "residual_q95", source);
  check_quantile(message_.measured_q95(), "measured_q95", source);
  check_quantile(message_.contended_q95(), "contended_q95", source);
  check_quantile(message_.unseen_q95(), "unseen_q95", source);
  if (!(message_.kriging_share() >= 0 && message_.kriging_share() <= 1)) {
    fail("{}: kriging_share: {}, expected 0 to 1", source, message_.kriging_share());
  }
  if (message_.slowdown_loads_size() > kMaxLoads) {
    fail("{}: {} slowdown_loads, expected at most {}", source, message_.slowdown_loads_size(),
         kMaxLoads);
  }
  double previous = 0;
  for (const double load : message_.slowdown_loads()) {
    if (!(load >= previous + kLeastLoadStep && load <= 1)) {
      fail("{}: slowdown_loads: {} after {}, expected ascending numbers up to 1", source, load,
           previous);
    }
    previous = load;
  }
  check_measured(message_.measured(), "measured", source);
  check_measured(message_.contended(), "contended", source);
}

std::vector<int> CompiledPredictor::feature_columns(const std::string& source) const {
  const std::vector<std::string>& known = feature_names();
  std::vector<int> columns;
  for (const std::string& name : message_.features()) {
    const auto at = std::find(known.begin(), known.end(), name);
    const auto column = static_cast<int>(at - known.begin());
    if (at == known.end() || std::find(columns.begin(), columns.end(), column) != columns.end()) {
      fail("{}: features: unknown or repeated feature '{}'", source, printable(name));
    }
    columns.push_back(column);
  }
  return columns;
}

// Where the very atom was measured under a load, that is the latency, unless it was more under a
// smaller load.
std::vector<double> CompiledPredictor::log_slowdowns(UnloadedLatency& unloaded) const {
  std::vector<double> result;
  double previous = 0;
  for (const double load : message_.slowdown_loads()) {
    const auto measured =
        find_measured(message_.contended(), {unloaded.signature_hash, unloaded.threads, load});
    unloaded.row[kLoadColumn] = static_cast<float>(load);
    const double log_slowdown =
        measured ? std::log(*measured) - unloaded.log_us : slowdown_.evaluate(unloaded.row);
    previous = std::clamp(log_slowdown, previous, kMostLog);
    result.push_back(previous);
  }
  return result;
}

double CompiledPredictor::log_slowdown(UnloadedLatency& unloaded, double load) const {
  const auto& loads = message_.slowdown_loads();
  // Never measured: a competitor that asks for `load` of a CPU gets at most its fair half.
  if (loads.empty()) return -std::log(std::max(1 - load, 0.5));
  if (unloaded.log_slowdowns.empty()) unloaded.log_slowdowns = log_slowdowns(unloaded);
  return between_loads(unloaded.log_slowdowns, load);
}

// Of values at the loads of the training set.
double CompiledPredictor::between_loads(std::span<const double> log_slowdowns, double load) const {
  const auto& loads = message_.slowdown_loads();
  double from = 0;
  double log_from = 0;
  double slope = 0;
  for (int i = 0; i < loads.size(); ++i) {
    const double log_to = log_slowdowns[static_cast<std::size_t>(i)];
    slope = (log_to - log_from) / (loads[i] - from);
    if (load <= loads[i]) break;
    from = loads[i];
    log_from = log_to;
  }
  return log_from + slope * (load - from);
}

CompiledPredictor::UnloadedLatency CompiledPredictor::unloaded_latency(const Work& work,
                                                                       std::string_view signature,
                                                                       unsigned threads) const {
  if (threads == 0) fail_with(ErrorKind::kUsage, "threads: 0, expected at least 1");
  UnloadedLatency unloaded;
  unloaded.threads = threads;
  unloaded.bytes = work.bytes();
  const RowKey key = row_key(message_, work);
  const std::uint64_t hash = signature_hash(signature);
  const auto measured = find_measured(message_.measured(), {hash, threads, 0});
  const bool any_load = !message_.slowdown_loads().empty();
  if (measured && !any_load) {  // most of a planner's atoms
    unloaded.log_us = std::log(*measured);
    unloaded.q95 = message_.measured_q95();
    return unloaded;
  }
  if (any_load) unloaded.signature_hash = hash;
  const Baselines::Match match = baselines_.find(work, threads);
  unloaded.log_us = log_baseline_us(match.cost, work);
  fill_features(work, {key.operator_index, key.backend_index, match.threads, 0, unloaded.log_us},
                unloaded.row);
  if (measured) {
    unloaded.log_us = std::log(*measured);
    unloaded.q95 = message_.measured_q95();
    return unloaded;
  }
  if (key.operator_index < 0) {
    unloaded.q95 = message_.unseen_q95();
    unloaded.extrapolated = true;
    unloaded.roofline = true;
  } else {
    double residual = this->residual(match.threads).evaluate(unloaded.row);
    const double share = message_.kriging_share();
    const Kriging* kriging = krigings_.find(key.operator_index, match.threads, key.backend_index,
                                            shape_family(unloaded.row));
    if (kriging != nullptr) {
      residual += share * (krigings_.residual(*kriging, unloaded.row) - residual);
    }
    unloaded.log_us += residual;
    const auto bound = bounds_.find({key.operator_index, threads});
    unloaded.q95 = bound == bounds_.end() ? message_.residual_q95() : bound->second;
    unloaded.extrapolated = !match.exact || !adaptations_.knows(threads);
  }
  unloaded.log_us += adaptations_.log_ratio(match.cost, work, key.operator_index, threads);
  return unloaded;
}

Prediction CompiledPredictor::in_context(UnloadedLatency& unloaded,
                                         const RunContext& context) const {
  if (!(context.cpu_load >= 0 && context.cpu_load <= 1)) {
    fail_with(ErrorKind::kUsage, "cpu_load: {}, expected 0 to 1", context.cpu_load);
  }
  if (!(context.memory_limit >= 0 && context.memory_needed >= 0)) {
    fail_with(ErrorKind::kUsage, "memory: a limit of {} for {} bytes", context.memory_limit,
              context.memory_needed);
  }
  assert(context.threads == unloaded.threads);
  Prediction prediction;
  prediction.extrapolated = unloaded.extrapolated;
  prediction.roofline = unloaded.roofline;
  double log_us = unloaded.log_us;
  double q95 = unloaded.q95;
  if (context.cpu_load > 0) {
    log_us += log_slowdown(unloaded, context.cpu_load);
    q95 = std::max(q95, message_.contended_q95());
    prediction.extrapolated = prediction.extrapolated || message_.slowdown_loads().empty();
  }
  if (context.memory_limit > 0) {
    const double needed = context.memory_needed > 0 ? context.memory_needed : unloaded.bytes;
    const double share = needed / context.memory_limit;
    log_us += memory_knee_.log_slowdown(share);
    prediction.extrapolated = prediction.extrapolated || (memory_knee_.empty() && share > 1);
  }
  prediction.p50_ms = std::exp(largest_log(log_us)) / 1000;
  prediction.p95_ms = std::exp(largest_log(log_us) + q95) / 1000;
  return prediction;
}

Prediction CompiledPredictor::predict(const Work& work, std::string_view signature,
                                      const RunContext& context) const {
  UnloadedLatency state = unloaded_latency(work, signature, context.threads);
  return in_context(state, context);
}

}  // namespace adamec::predict
