#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adamec/predict/combination.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

inline constexpr std::uint32_t kPredictorFormatVersion = 2;

// What the latency depends on besides the atom.
struct RunContext {
  unsigned threads = 1;
  double cpu_load = 0;       // 0..1
  double memory_limit = 0;   // bytes; 0: none
  double memory_needed = 0;  // by everything that is resident; 0: by the atom alone
};

struct Prediction {
  double p50_ms =
      0;  // the typical latency: of the machine without load, times the slowdown of the context
  double p95_ms = 0;  // 95 % of such atoms are measured below; >= p50_ms
  // Training never saw this operator (p50 is then a roofline over MACs and bytes), number of
  // threads, any load or any memory limit.
  bool extrapolated = false;
  bool roofline = false;  // because of the operator
};

// What a share `quantile` of such runs, 0.5 to 0.99, is expected to take at most: errors of the
// logarithm are taken as normal, with the median and the p95 of the prediction.
[[nodiscard]] double quantile_ms(const Prediction& prediction, double quantile);

class CompiledPredictor;

// A trained latency predictor. Needs neither XGBoost nor LibTorch; nothing in the file is trusted.
//
//   t = t0 * S,  t0 = measured, if this configuration was, else baseline * exp(residual),
//   residual = trees and kriging (kriging.h) in fixed shares,
//   S = measured, if this configuration was under this load, else exp(slowdown trees); linear in
//       the load between the loads of the training set, never falling, S(0) = 1; times the memory
//       knee (memory_knee.h).
// Blocks: combination.h.
class Predictor {
 public:
  // "-" is standard input. Throws Error when the file is not a valid predictor.
  [[nodiscard]] static Predictor load(const std::string& path);
  // The same for a message; `source` is its name in messages.
  explicit Predictor(v1::Predictor message, const std::string& source);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  // Finite and positive for any atom; never smaller under more load. May be called by several
  // threads at once. Throws Error(kUsage) for zero threads or a load outside 0..1.
  [[nodiscard]] Prediction predict(const v1::Atom& atom, const RunContext& context) const;
  // The same for a sample's configuration.
  [[nodiscard]] Prediction predict(const v1::Sample& sample, const RunContext& context) const;
  // One atom in many contexts: most of the work is done once.
  [[nodiscard]] std::vector<Prediction> predict(const v1::Atom& atom,
                                                std::span<const RunContext> contexts) const;

  // Atoms combined into one module that runs by itself; `edges` are the tensors made and used
  // inside, by index into `atoms`. Like the sum of the atoms where nothing was learnt of blocks.
  [[nodiscard]] Prediction predict_block(std::span<const v1::Atom* const> atoms,
                                         const std::vector<PartEdge>& edges,
                                         const RunContext& context) const;
  // The same for a measured block or model; `parts` describes each of its parts.
  [[nodiscard]] Prediction predict_block(
      const v1::Sample& block, const std::map<std::string, const v1::Configuration*>& parts,
      const RunContext& context) const;

  // The same atom by atom: what each adds to a block of all of them, besides one call_ms(). What
  // planners take that do not know yet where the boundaries will be.
  [[nodiscard]] std::vector<Prediction> predict_parts(std::span<const v1::Atom* const> atoms,
                                                      const std::vector<PartEdge>& edges,
                                                      const RunContext& context) const;

  // Every atom's latency holds one entry into a module; inside a block all but one are saved.
  [[nodiscard]] double call_ms(const RunContext& context) const;
  // How many times as long a typical atom takes under this load; 0: not known.
  [[nodiscard]] double typical_slowdown(unsigned threads, double load) const;

  // Host fingerprint, validation figures.
  [[nodiscard]] const v1::Predictor& message() const;

 private:
  [[nodiscard]] double saving_of(std::span<const v1::Atom* const> atoms,
                                 const std::vector<int>& feeder, std::size_t part,
                                 double unloaded_ms, unsigned threads) const;

  std::unique_ptr<CompiledPredictor> compiled_;
};

// The tensors inside a measured block.
[[nodiscard]] std::vector<PartEdge> edges_of(const v1::Sample& block);

}  // namespace adamec::predict
