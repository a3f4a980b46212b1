#include <algorithm>
#include <cmath>

#include "adamec/predict/compiled_predictor.h"
#include "adamec/predict/features.h"
#include "adamec/predict/limits.h"

// The parts of CompiledPredictor that predict blocks and that trainers need.
namespace adamec::predict {
namespace {

constexpr double kLeastMs = 1e-20;

}  // namespace

const Combination* CompiledPredictor::combination(unsigned threads) const {
  if (combinations_.empty()) return nullptr;
  auto nearest = combinations_.upper_bound(threads);
  if (nearest != combinations_.begin()) --nearest;
  return &nearest->second;
}

BlockTerms CompiledPredictor::block_terms(std::span<const Part> parts,
                                          const std::vector<PartEdge>& edges,
                                          const RunContext& context, bool* extrapolated) const {
  const RunContext unloaded{context.threads, 0};
  const RunContext under_load{context.threads, context.cpu_load};
  const std::vector<int> feeder = feeders(parts.size(), edges);
  BlockTerms terms;
  terms.atoms = parts.size();
  *extrapolated = false;
  std::vector<Footprint> footprints;
  for (const Part& part : parts) footprints.push_back(footprint_of(part.work));
  terms.add_cold(footprints, edges);
  std::vector<PartTimes> times;
  double under_load_us = 0;
  double in_context_us = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    UnloadedLatency part = unloaded_latency(parts[i].work, parts[i].signature, context.threads);
    const Prediction prediction = in_context(part, context);
    in_context_us += prediction.p50_ms * 1000;
    const double us = in_context(part, unloaded).p50_ms * 1000;
    times.push_back({us, in_context(part, under_load).p50_ms * 1000});
    under_load_us += times.back().in_context;
    terms.sum_us += us;
    terms.least_us = i == 0 ? us : std::min(terms.least_us, us);
    *extrapolated = *extrapolated || prediction.extrapolated;
    if (feeder[i] < 0) continue;
    const Work& producer = parts[static_cast<std::size_t>(feeder[i])].work;
    terms.fed.push_back({row_key(message_, producer).operator_index,
                         row_key(message_, parts[i].work).operator_index, us});
  }
  terms.set_slowdown(block_slowdown(times, typical_slowdown(context.threads, context.cpu_load)));
  if (under_load_us > 0) {
    const double memory = in_context_us / under_load_us;
    terms.slowdown *= memory;
    terms.waiting_us *= memory;
  }
  return terms;
}

double CompiledPredictor::typical_slowdown(unsigned threads, double load) const {
  if (load == 0) return 1;
  if (typical_log_slowdowns_.empty()) return 0;
  auto nearest = typical_log_slowdowns_.upper_bound(threads);
  if (nearest != typical_log_slowdowns_.begin()) --nearest;
  return std::exp(std::min(between_loads(nearest->second, load), kMostLog));
}

Prediction CompiledPredictor::predict_block(std::span<const Part> parts,
                                            const std::vector<PartEdge>& edges,
                                            const RunContext& context, bool whole_model) const {
  Prediction prediction;
  const BlockTerms terms = block_terms(parts, edges, context, &prediction.extrapolated);
  const Combination* savings = combination(context.threads);
  double q95 = message_.unseen_q95();
  if (savings == nullptr) {
    prediction.p50_ms = (terms.sum_us * terms.slowdown + terms.waiting_us) / 1000;
    prediction.extrapolated = true;
  } else {
    prediction.p50_ms = savings->block_us(terms) / 1000;
    q95 = whole_model ? savings->model_q95() : savings->block_q95();
    if (context.cpu_load > 0) q95 = std::max(q95, message_.contended_q95());
  }
  prediction.p50_ms = std::max(prediction.p50_ms, kLeastMs);
  prediction.p95_ms = prediction.p50_ms * std::exp(q95);
  return prediction;
}

double CompiledPredictor::call_ms(const RunContext& context) const {
  const Combination* savings = combination(context.threads);
  return savings == nullptr ? 0 : savings->call_us() / 1000;
}

double CompiledPredictor::cold_ms(const ColdBytes& cold, unsigned threads) const {
  const Combination* savings = combination(threads);
  return savings == nullptr ? 0 : savings->cold_us(cold) / 1000;
}

double CompiledPredictor::pair_share(const Work& producer, const Work& consumer,
                                     unsigned threads) const {
  const Combination* savings = combination(threads);
  if (savings == nullptr) return 0;
  return savings->share(row_key(message_, producer).operator_index,
                        row_key(message_, consumer).operator_index);
}

int CompiledPredictor::kriging_index(const Work& work, unsigned threads) const {
  const RowKey key = row_key(message_, work);
  const auto family =
      static_cast<std::uint32_t>(shape_family(unloaded_latency(work, "", threads).row));
  int of_all = -1;
  for (int i = 0; i < message_.krigings_size(); ++i) {
    const v1::Kriging& kriging = message_.krigings(i);
    if (static_cast<int>(kriging.operator_index()) == key.operator_index &&
        static_cast<int>(kriging.backend_index()) == key.backend_index &&
        kriging.threads() == threads) {
      if (kriging.family() == family) return i;
      if (kriging.family() == 0) of_all = i;
    }
  }
  return of_all;
}

std::vector<float> CompiledPredictor::coordinates(const Work& work, unsigned threads) const {
  std::vector<float> result;
  fill_coordinates(unloaded_latency(work, "", threads).row, krigings_.columns(), krigings_.scales(),
                   result);
  return result;
}

}  // namespace adamec::predict
