#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

inline constexpr std::uint32_t kPredictorFormatVersion = 1;

// What the latency depends on besides the atom.
struct RunContext {
  unsigned threads = 1;
  double cpu_load = 0;  // 0..1
};

struct Prediction {
  double p50_ms = 0;  // the typical latency: of a quiet machine times the slowdown of the context
  double p95_ms = 0;  // 95 % of such atoms are measured below; >= p50_ms
  bool extrapolated = false;  // training never saw this operator, number of threads or any load
};

class Evaluator;

// A trained latency predictor. Needs neither XGBoost nor LibTorch; nothing in the file is trusted.
//
//   t = t0 * S,  t0 = measured, if this configuration was, else baseline * exp(residual trees),
//   S = exp(slowdown trees), linear in the load between the loads of the training set, S(0) = 1.
class Predictor {
 public:
  // "-" is standard input. Throws Error when the file is not a valid predictor.
  static Predictor load(const std::string& path);
  // The same for a message; `source` is its name in messages.
  explicit Predictor(v1::Predictor message, const std::string& source);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  // Finite and positive for any atom; never smaller under more load. May be called by several
  // threads at once. Throws Error(kUsage) for zero threads or a load outside 0..1.
  Prediction predict(const v1::Atom& atom, const RunContext& context) const;
  // The same for a sample's configuration.
  Prediction predict(const v1::Sample& sample, const RunContext& context) const;
  // Host fingerprint, validation figures.
  const v1::Predictor& message() const;

 private:
  std::unique_ptr<Evaluator> evaluator_;
};

}  // namespace adamec::predict
