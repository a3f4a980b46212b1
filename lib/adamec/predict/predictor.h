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
  double p50_ms = 0;          // the typical latency
  double p95_ms = 0;          // 95 % of latencies are below; >= p50_ms
  bool extrapolated = false;  // an operator that training never saw: a roofline estimate
};

class Evaluator;

// A trained latency predictor. Needs neither XGBoost nor LibTorch; nothing in the file is trusted.
class Predictor {
 public:
  // "-" is standard input. Throws Error when the file is not a valid predictor.
  static Predictor load(const std::string& path);
  // The same for a message; `source` is its name in messages.
  explicit Predictor(v1::Predictor message, const std::string& source);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;

  // Throws Error(kUsage) for zero threads or a load outside 0..1. Never smaller under more load.
  Prediction predict(const v1::Atom& atom, const RunContext& context) const;
  // Host fingerprint, validation figures.
  const v1::Predictor& message() const;

 private:
  std::unique_ptr<Evaluator> evaluator_;
};

}  // namespace adamec::predict
