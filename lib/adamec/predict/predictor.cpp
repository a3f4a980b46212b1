#include "adamec/predict/predictor.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/predict/compiled_predictor.h"
#include "adamec/predict/signature.h"
#include "adamec/proto/parse.h"

namespace adamec::predict {
namespace {

constexpr double kLeastPart = 0.05;  // no atom takes less of its own latency in a block
constexpr std::uint64_t kMaxFileBytes = 512ULL << 20;

// The point below which a share of a standard normal distribution lies, by bisection.
double normal_point(double share) {
  double low = 0;
  double high = 8;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < share ? low : high) = middle;
  }
  return low;
}

}  // namespace

double quantile_ms(const Prediction& prediction, double quantile) {
  assert(quantile >= 0.5 && quantile <= 0.99);
  static const double p95 = normal_point(0.95);
  if (quantile == 0.5) return prediction.p50_ms;
  if (quantile == 0.95) return prediction.p95_ms;
  return prediction.p50_ms *
         std::pow(prediction.p95_ms / prediction.p50_ms, normal_point(quantile) / p95);
}

Predictor Predictor::load(const std::string& path) {
  const std::string name = display_name(path);
  const std::string bytes = read_file(path, kMaxFileBytes);
  if (bytes.empty()) fail("{}: the file is empty, expected a predictor", name);
  v1::Predictor message;
  if (!parse_message(message, bytes)) fail("{}: not a predictor, or truncated", name);
  return Predictor(std::move(message), name);
}

Predictor::Predictor(v1::Predictor message, const std::string& source)
    : compiled_(std::make_unique<CompiledPredictor>(std::move(message), source)) {}

Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

Prediction Predictor::predict(const v1::Atom& atom, const RunContext& context) const {
  return compiled_->predict(work_of(atom, context.threads), signature(atom), context);
}

Prediction Predictor::predict(const v1::Sample& sample, const RunContext& context) const {
  return compiled_->predict(work_of(sample, context.threads), sample.signature(), context);
}

std::vector<Prediction> Predictor::predict(const v1::Atom& atom,
                                           std::span<const RunContext> contexts) const {
  const std::string text = signature(atom);
  CompiledPredictor::ByThreads known;
  std::vector<Prediction> predictions;
  predictions.reserve(contexts.size());
  for (const RunContext& context : contexts) {
    const auto same = std::find_if(known.begin(), known.end(),
                                   [&](const CompiledPredictor::UnloadedLatency& unloaded) {
                                     return unloaded.threads == context.threads;
                                   });
    if (same != known.end()) {
      predictions.push_back(compiled_->in_context(*same, context));
      continue;
    }
    known.push_back(
        compiled_->unloaded_latency(work_of(atom, context.threads), text, context.threads));
    predictions.push_back(compiled_->in_context(known.back(), context));
  }
  return predictions;
}

Prediction Predictor::predict_block(std::span<const v1::Atom* const> atoms,
                                    const std::vector<PartEdge>& edges,
                                    const RunContext& context) const {
  std::vector<CompiledPredictor::Part> parts;
  for (const v1::Atom* atom : atoms) {
    parts.push_back({work_of(*atom, context.threads), signature(*atom)});
  }
  return compiled_->predict_block(parts, edges, context, false);
}

Prediction Predictor::predict_block(const v1::Sample& block,
                                    const std::map<std::string, const v1::Configuration*>& parts,
                                    const RunContext& context) const {
  std::vector<CompiledPredictor::Part> works;
  for (const std::string& part : block.parts()) {
    works.push_back({work_of(*parts.at(part), context.threads), part});
  }
  return compiled_->predict_block(works, edges_of(block), context, block.subject() == v1::MODEL);
}

std::vector<Prediction> Predictor::predict_parts(std::span<const v1::Atom* const> atoms,
                                                 const std::vector<PartEdge>& edges,
                                                 const RunContext& context) const {
  const std::vector<int> feeder = feeders(atoms.size(), edges);
  const double call = compiled_->call_ms(context);
  std::vector<Footprint> footprints;
  std::vector<PartTimes> times;
  std::vector<Prediction> predictions;
  for (const v1::Atom* atom : atoms) {
    const Work work = work_of(*atom, context.threads);
    footprints.push_back(footprint_of(work));
    CompiledPredictor::UnloadedLatency unloaded =
        compiled_->unloaded_latency(work, signature(*atom), context.threads);
    times.push_back({compiled_->in_context(unloaded, {context.threads, 0}).p50_ms,
                     compiled_->in_context(unloaded, {context.threads, context.cpu_load}).p50_ms});
    predictions.push_back(compiled_->in_context(unloaded, context));
  }
  const double all = working_set(footprints, edges);
  const double typical = compiled_->typical_slowdown(context.threads, context.cpu_load);
  const BlockSlowdown slowdown = block_slowdown(times, typical);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const double unloaded = times[i].unloaded;
    const double cold = compiled_->cold_ms(cold_bytes(footprints[i], all), context.threads);
    const double inside = std::max(0.0, unloaded - call) -
                          saving_of(atoms, feeder, i, unloaded, context.threads) + cold;
    double factor = std::max(inside / unloaded, kLeastPart);  // slows down as the part does
    if (context.cpu_load > 0 && typical > 0) {
      factor = (factor * unloaded * slowdown.factor + slowdown.waiting[i]) / times[i].in_context;
    }
    predictions[i].p50_ms *= factor;
    predictions[i].p95_ms *= factor;
  }
  return predictions;
}

// What the part saves by running behind the one that makes the largest tensor it takes.
double Predictor::saving_of(std::span<const v1::Atom* const> atoms, const std::vector<int>& feeder,
                            std::size_t part, double unloaded_ms, unsigned threads) const {
  if (feeder[part] < 0) return 0;
  const v1::Atom& producer = *atoms[static_cast<std::size_t>(feeder[part])];
  const double share =
      compiled_->pair_share(work_of(producer, threads), work_of(*atoms[part], threads), threads);
  return pair_saving(share, unloaded_ms, compiled_->call_ms({threads, 0}));
}

double Predictor::typical_slowdown(unsigned threads, double load) const {
  return compiled_->typical_slowdown(threads, load);
}

double Predictor::call_ms(const RunContext& context) const { return compiled_->call_ms(context); }

std::vector<PartEdge> edges_of(const v1::Sample& block) {
  std::vector<PartEdge> edges;
  for (const v1::Edge& edge : block.edges()) {
    edges.push_back({edge.producer(), edge.consumer(), static_cast<double>(edge.bytes())});
  }
  return edges;
}

const v1::Predictor& Predictor::message() const { return compiled_->message(); }

}  // namespace adamec::predict
