#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adamec/predict/adaptation.h"
#include "adamec/predict/baseline.h"
#include "adamec/predict/combination.h"
#include "adamec/predict/kriging.h"
#include "adamec/predict/memory_knee.h"
#include "adamec/predict/predictor.h"
#include "adamec/predict/trees.h"
#include "adamec/predict/work.h"

namespace adamec::predict {

// A predictor message, checked and in the form that evaluates fast. See predictor.h.
class CompiledPredictor {
 public:
  // Throws Error, prefixed by `source`, for anything a trainer would not write.
  CompiledPredictor(v1::Predictor message, const std::string& source);

  // An atom with a number of threads, without load: what all its contexts share.
  struct UnloadedLatency {
    unsigned threads = 1;
    double log_us = 0;
    double q95 = 0;
    bool extrapolated = false;
    bool roofline = false;
    double bytes = 0;                   // of the atom's tensors and weights
    std::uint64_t signature_hash = 0;   // 0: load has been measured of no atom
    std::vector<float> row;             // of features; empty where nothing needs it
    std::vector<double> log_slowdowns;  // at the loads of the training set, once asked for
  };
  using ByThreads = std::vector<UnloadedLatency>;
  [[nodiscard]] UnloadedLatency unloaded_latency(const Work& work, std::string_view signature,
                                                 unsigned threads) const;
  // The rest of the way to a prediction; `context.threads` must be unloaded's.
  [[nodiscard]] Prediction in_context(UnloadedLatency& unloaded, const RunContext& context) const;

  [[nodiscard]] Prediction predict(const Work& work, std::string_view signature,
                                   const RunContext& context) const;

  // For trainers: which of the message's krigings is used (-1: none, or one of another number of
  // threads), and the coordinates of the work in it.
  [[nodiscard]] int kriging_index(const Work& work, unsigned threads) const;
  [[nodiscard]] std::vector<float> coordinates(const Work& work, unsigned threads) const;

  struct Part {
    Work work;
    std::string signature;
  };
  // What a block is made of in this context; extrapolated when one of its parts is.
  [[nodiscard]] BlockTerms block_terms(std::span<const Part> parts,
                                       const std::vector<PartEdge>& edges,
                                       const RunContext& context, bool* extrapolated) const;
  [[nodiscard]] Prediction predict_block(std::span<const Part> parts,
                                         const std::vector<PartEdge>& edges,
                                         const RunContext& context, bool whole_model) const;
  // How many times as long a typical atom takes under this load; 0: not known.
  [[nodiscard]] double typical_slowdown(unsigned threads, double load) const;
  [[nodiscard]] double call_ms(const RunContext& context) const;
  [[nodiscard]] double cold_ms(const ColdBytes& cold, unsigned threads) const;  // without load
  [[nodiscard]] double pair_share(const Work& producer, const Work& consumer,
                                  unsigned threads) const;

  [[nodiscard]] const v1::Predictor& message() const { return message_; }

 private:
  void check_fields(const std::string& source) const;
  [[nodiscard]] std::vector<int> feature_columns(const std::string& source) const;
  void read_residuals(const std::vector<int>& columns, const std::string& source);
  void read_bounds(const std::string& source);
  void read_combinations(const std::string& source);
  void read_typical_slowdowns(const std::string& source);
  [[nodiscard]] std::vector<double> log_slowdowns(UnloadedLatency& unloaded) const;
  [[nodiscard]] double log_slowdown(UnloadedLatency& unloaded, double load) const;
  [[nodiscard]] double between_loads(std::span<const double> log_slowdowns, double load) const;
  [[nodiscard]] const Trees& residual(unsigned threads) const;
  [[nodiscard]] const Combination* combination(unsigned threads) const;

  v1::Predictor message_;
  Baselines baselines_;
  std::map<unsigned, Trees> residuals_;  // by threads
  Krigings krigings_;
  Trees slowdown_;
  MemoryKnee memory_knee_;
  Adaptations adaptations_;
  std::map<std::pair<int, unsigned>, double> bounds_;              // by operator and threads
  std::map<unsigned, Combination> combinations_;                   // by threads
  std::map<unsigned, std::vector<double>> typical_log_slowdowns_;  // by threads, at the loads
};

// What the trees see of an atom, by a predictor's vocabulary. Also how the trainer sees it.
struct RowKey {
  int operator_index = -1;
  int backend_index = -1;
};
[[nodiscard]] RowKey row_key(const v1::Predictor& message, const Work& work);
// Never -infinity: a baseline of zero counts as a nanosecond.
[[nodiscard]] double log_baseline_us(const LinearCost& cost, const Work& work);

}  // namespace adamec::predict
