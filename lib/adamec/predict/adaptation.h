#pragma once

#include <map>
#include <string>

#include "adamec/predict/baseline.h"
#include "adamec/predict/work.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// What another device makes of a predictor: the baseline's cost of a multiplication, a byte and a
// call are scaled each by a ratio of its own, and what is left by a factor per operator. Residuals,
// slowdown and blocks stay the base's.
class Adaptations {
 public:
  Adaptations() = default;
  // Throws Error, prefixed by `source`, for numbers a trainer would not write.
  Adaptations(const google::protobuf::RepeatedPtrField<v1::Adaptation>& messages,
              const std::string& source);

  // log(latency here / latency on the base device), of the nearest number of threads; 0 without
  // adaptations.
  [[nodiscard]] double log_ratio(const LinearCost& cost, const Work& work, int operator_index,
                                 unsigned threads) const;
  // Whether this number of threads was measured on the new device, or nothing is adapted.
  [[nodiscard]] bool knows(unsigned threads) const {
    return by_threads_.empty() || by_threads_.contains(threads);
  }

 private:
  struct Adaptation {
    LinearCost ratios;  // of the device, in place of costs
    double log_factor = 0;
    std::map<int, double> factors;
  };
  std::map<unsigned, Adaptation> by_threads_;
};

// log of the baseline with scaled coefficients over the baseline.
[[nodiscard]] double log_scaled(const LinearCost& cost, const LinearCost& ratios, const Work& work);

}  // namespace adamec::predict
