#include "adamec/predict/combination.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"

namespace adamec::predict {
namespace {

constexpr double kMaxLog = 40;
constexpr double kMaxCallUs = 1e6;
constexpr double kLeastShare = -4;
constexpr double kMostShare = 1;
constexpr double kLeastRest = 0.05;  // no block takes less than this part of the sum

void check_range(double value, double least, double most, const char* name,
                 const std::string& field) {
  if (!(value >= least && value <= most)) {
    fail("{}.{}: {}, expected {} to {}", field, name, value, least, most);
  }
}

}  // namespace

std::vector<int> feeders(std::size_t parts, const std::vector<PartEdge>& edges) {
  std::vector<int> result(parts, -1);
  std::vector<double> most(parts, -1);
  for (const PartEdge& edge : edges) {
    if (edge.bytes <= most[edge.consumer]) continue;
    most[edge.consumer] = edge.bytes;
    result[edge.consumer] = static_cast<int>(edge.producer);
  }
  return result;
}

Combination::Combination(const v1::Combination& message, const std::string& field)
    : call_us_(message.call_us()),
      block_q95_(message.block_q95()),
      model_q95_(message.model_q95()) {
  check_range(call_us_, 0, kMaxCallUs, "call_us", field);
  check_range(block_q95_, 0, kMaxLog, "block_q95", field);
  check_range(model_q95_, 0, kMaxLog, "model_q95", field);
  for (const v1::Combination::Pair& pair : message.pairs()) {
    check_range(pair.share(), kLeastShare, kMostShare, "pairs.share", field);
    const std::pair key(pair.producer_index(), static_cast<int>(pair.consumer_index()));
    if (!shares_.emplace(key, pair.share()).second) {
      fail("{}.pairs: {} to {} twice", field, key.first, key.second);
    }
  }
}

double Combination::share(int producer, int consumer) const {
  auto at = shares_.find({producer, consumer});
  if (at == shares_.end()) at = shares_.find({-1, consumer});
  return at == shares_.end() ? 0 : at->second;
}

double Combination::block_us(const BlockTerms& terms) const {
  if (terms.atoms < 2) return terms.sum_us;
  double gain = 0;
  for (const BlockTerms::Fed& fed : terms.fed) gain += share(fed.producer, fed.consumer) * fed.us;
  const double slowdown = terms.unloaded_sum_us > 0 ? terms.sum_us / terms.unloaded_sum_us : 1;
  gain += call_us_ * static_cast<double>(terms.atoms - 1) * slowdown;
  return std::max(terms.sum_us - gain, terms.sum_us * kLeastRest);
}

}  // namespace adamec::predict
