#include "adamec/predict/adaptation.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/predict/limits.h"

namespace adamec::predict {
namespace {

constexpr double kMaxRatio = 1e12;

}  // namespace

double log_scaled(const LinearCost& cost, const LinearCost& ratios, const Work& work) {
  const LinearCost scaled{cost.us_per_mac * ratios.us_per_mac,
                          cost.us_per_byte * ratios.us_per_byte,
                          cost.constant_us * ratios.constant_us};
  return std::log(std::max(scaled.us(work.macs, work.bytes()), kLeastUs)) -
         std::log(std::max(cost.us(work.macs, work.bytes()), kLeastUs));
}

Adaptations::Adaptations(const google::protobuf::RepeatedPtrField<v1::Adaptation>& messages,
                         const std::string& source) {
  for (int i = 0; i < messages.size(); ++i) {
    const v1::Adaptation& message = messages[i];
    for (const double ratio : {message.per_mac(), message.per_byte(), message.constant()}) {
      if (!(ratio >= 0 && ratio <= kMaxRatio)) {
        fail("{}: adaptations[{}]: a ratio of {}, expected 0 to {}", source, i, ratio, kMaxRatio);
      }
    }
    Adaptation adaptation{
        {message.per_mac(), message.per_byte(), message.constant()}, message.log_factor(), {}};
    for (const v1::Adaptation::Factor& factor : message.factors()) {
      if (!(std::abs(factor.log_factor()) <= kMostLog)) {
        fail("{}: adaptations[{}].factors: {}, expected at most {}", source, i, factor.log_factor(),
             kMostLog);
      }
      adaptation.factors[static_cast<int>(factor.operator_index())] = factor.log_factor();
    }
    if (!(std::abs(adaptation.log_factor) <= kMostLog) || message.threads() == 0 ||
        !by_threads_.emplace(message.threads(), std::move(adaptation)).second) {
      fail("{}: adaptations[{}]: bad or repeated: {} threads, log_factor {}", source, i,
           message.threads(), message.log_factor());
    }
  }
}

double Adaptations::log_ratio(const LinearCost& cost, const Work& work, int operator_index,
                              unsigned threads) const {
  if (by_threads_.empty()) return 0;
  auto nearest = by_threads_.upper_bound(threads);
  if (nearest != by_threads_.begin()) --nearest;
  const Adaptation& adaptation = nearest->second;
  const auto factor = adaptation.factors.find(operator_index);
  return log_scaled(cost, adaptation.ratios, work) + adaptation.log_factor +
         (factor == adaptation.factors.end() ? 0 : factor->second);
}

}  // namespace adamec::predict
