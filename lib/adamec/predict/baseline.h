#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "adamec/predict/work.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// us = us_per_mac * MACs + us_per_byte * bytes + constant_us, all coefficients >= 0.
struct LinearCost {
  double us_per_mac = 0;
  double us_per_byte = 0;
  double constant_us = 0;

  [[nodiscard]] double us(double macs, double bytes) const {
    return us_per_mac * macs + us_per_byte * bytes + constant_us;
  }
};

struct CostPoint {
  double macs = 0;
  double bytes = 0;
  double us = 0;  // measured, > 0
};

// The non-negative coefficients with the least sum of squared relative errors (cost / us - 1)^2.
// Exact: all seven sets of positive coefficients are tried. At least one point.
[[nodiscard]] LinearCost fit_cost(std::span<const CostPoint> points);

// The backend name that stands for all kernel families of an operator together.
inline constexpr char kAnyBackend[] = "*";

// Baselines of a predictor: which one fits an atom.
class Baselines {
 public:
  struct Match {
    LinearCost cost;
    bool exact = true;     // false: the operator, or this number of threads, was never measured
    unsigned threads = 1;  // what it was measured with
  };

  Baselines() = default;
  // Throws Error, prefixed by `source`, for coefficients that are negative or not finite, two
  // baselines of the same name, and no roofline (operator "").
  Baselines(const google::protobuf::RepeatedPtrField<v1::Baseline>& messages,
            const std::string& source);

  // By operator, threads and backend; then any backend; then the nearest number of threads; then
  // the roofline of the nearest number of threads.
  [[nodiscard]] Match find(const Work& work, unsigned threads) const;
  [[nodiscard]] bool knows(const std::string& operator_key) const;

 private:
  using ByBackend = std::map<std::string, LinearCost, std::less<>>;
  using ByThreads = std::map<unsigned, ByBackend>;
  std::map<std::string, ByThreads> by_operator_;
};

}  // namespace adamec::predict
