#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adamec/predict/baseline.h"
#include "adamec/predict/predictor.h"
#include "adamec/predict/trees.h"
#include "adamec/predict/work.h"

namespace adamec::predict {

// A predictor message, checked and in the form that evaluates fast. See predictor.h.
class Evaluator {
 public:
  // Throws Error, prefixed by `source`, for anything a trainer would not write.
  Evaluator(v1::Predictor message, const std::string& source);

  Prediction predict(const Work& work, std::string_view signature, const RunContext& context) const;
  const v1::Predictor& message() const { return message_; }

 private:
  void check_fields(const std::string& source) const;
  std::vector<int> feature_columns(const std::string& source) const;
  std::optional<double> measured_us(std::string_view signature, unsigned threads) const;
  double log_slowdown(std::vector<float>& row, double load) const;

  v1::Predictor message_;
  Baselines baselines_;
  Trees residual_;
  Trees slowdown_;
};

// What the trees see of an atom, by a predictor's vocabulary. Also how the trainer sees it.
struct RowKey {
  int operator_index = -1;
  int backend_index = -1;
};
RowKey row_key(const v1::Predictor& message, const Work& work);
// Never -infinity: a baseline of zero counts as a nanosecond.
double log_baseline_us(const LinearCost& cost, const Work& work);

}  // namespace adamec::predict
