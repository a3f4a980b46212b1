#include "adamec/predict/combination.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "adamec/base/error.h"
#include "adamec/predict/limits.h"

namespace adamec::predict {
namespace {

constexpr double kMaxCallUs = 1e6;
constexpr double kLeastShare = -4;
constexpr double kMostShare = 1;
constexpr double kMostUsPerByte = 1;
constexpr double kMostBytes = 1e15;  // far more than there are: sums and squares stay finite
constexpr double kLeastRest = 0.05;  // no block takes less than this part of the sum
constexpr double kWaits = 2;         // parts this many times as slow as typical ones wait

// Share of a working set that a cache misses.
double missed(double working_set, double cache) {
  const double square = working_set * working_set;
  return square / (square + cache * cache);
}

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
    assert(edge.producer < parts && edge.consumer < parts);
    if (edge.bytes <= most[edge.consumer]) continue;
    most[edge.consumer] = edge.bytes;
    result[edge.consumer] = static_cast<int>(edge.producer);
  }
  return result;
}

Footprint footprint_of(const Work& work) {
  if (work.view) return {};
  const bool picks_rows = work.class_key == "aten::embedding";
  return {picks_rows ? std::min(work.weight_bytes, work.bytes_out) : work.weight_bytes,
          work.bytes_in + work.bytes_out};
}

double working_set(std::span<const Footprint> parts, const std::vector<PartEdge>& edges) {
  // Of each tensor that waits: its bytes and the last part that takes it.
  std::vector<std::pair<double, std::size_t>> made(parts.size(), {0, 0});
  for (const PartEdge& edge : edges) {
    assert(edge.producer < parts.size() && edge.consumer < parts.size());
    auto& [bytes, last] = made[edge.producer];
    bytes = std::max(bytes, edge.bytes);
    last = std::max(last, edge.consumer);
  }
  std::vector<double> ends(parts.size(), 0);  // bytes that are done with after a part
  double weights = 0;
  double waiting = 0;
  double most_alive = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    waiting -= ends[i];  // what it takes is among its own bytes
    weights += parts[i].weight_bytes;
    most_alive = std::max(most_alive, waiting + parts[i].activation_bytes);
    if (made[i].second > i) {
      waiting += made[i].first;
      ends[made[i].second] += made[i].first;
    }
  }
  return std::min(weights + most_alive, kMostBytes);
}

ColdBytes cold_bytes(const Footprint& part, double working_set) {
  ColdBytes cold;
  const double own = std::min(part.bytes(), kMostBytes);
  for (std::size_t i = 0; i < kCacheBytes.size(); ++i) {
    const double more =
        std::max(0.0, missed(working_set, kCacheBytes[i]) - missed(own, kCacheBytes[i]));
    cold[i].weight_bytes = std::min(part.weight_bytes, kMostBytes) * more;
    cold[i].activation_bytes = std::min(part.activation_bytes, kMostBytes) * more;
  }
  return cold;
}

void BlockTerms::add_cold(std::span<const Footprint> parts, const std::vector<PartEdge>& edges) {
  const double all = working_set(parts, edges);
  for (const Footprint& part : parts) {
    const ColdBytes of_part = cold_bytes(part, all);
    for (std::size_t i = 0; i < cold.size(); ++i) {
      cold[i].weight_bytes += of_part[i].weight_bytes;
      cold[i].activation_bytes += of_part[i].activation_bytes;
    }
  }
}

BlockSlowdown block_slowdown(std::span<const PartTimes> parts, double typical) {
  const bool blind = typical == 0 || parts.size() < 2;
  const auto waits = [&](const PartTimes& part) {
    return !blind && part.in_context > kWaits * typical * part.unloaded;
  };
  double unloaded = 0;
  double in_context = 0;
  for (const PartTimes& part : parts) {
    if (waits(part)) continue;
    unloaded += part.unloaded;
    in_context += part.in_context;
  }
  BlockSlowdown result;
  const double own = unloaded > 0 ? in_context / unloaded : std::max(1.0, typical);
  result.factor = blind ? own : (own + typical) / 2;
  for (const PartTimes& part : parts) {
    result.waiting.push_back(waits(part) ? part.in_context - result.factor * part.unloaded : 0);
  }
  return result;
}

void BlockTerms::set_slowdown(const BlockSlowdown& of_block) {
  slowdown = of_block.factor;
  waiting_us = std::accumulate(of_block.waiting.begin(), of_block.waiting.end(), 0.0);
}

Combination::Combination(const v1::Combination& message, const std::string& field)
    : call_us_(message.call_us()),
      block_q95_(message.block_q95()),
      model_q95_(message.model_q95()) {
  check_range(call_us_, 0, kMaxCallUs, "call_us", field);
  check_range(block_q95_, 0, kMostLog, "block_q95", field);
  check_range(model_q95_, 0, kMostLog, "model_q95", field);
  for (const v1::Combination::Pair& pair : message.pairs()) {
    check_range(pair.share(), kLeastShare, kMostShare, "pairs.share", field);
    const std::pair key(pair.producer_index(), static_cast<int>(pair.consumer_index()));
    if (!shares_.emplace(key, pair.share()).second) {
      fail("{}.pairs: {} to {} twice", field, key.first, key.second);
    }
  }
  for (const v1::Combination::Cold& cold : message.colds()) {
    const auto cache = std::find(kCacheBytes.begin(), kCacheBytes.end(), cold.cache_bytes());
    if (cache == kCacheBytes.end()) {
      fail("{}.colds.cache_bytes: {}, expected one of {}", field, cold.cache_bytes(),
           fmt::join(kCacheBytes, ", "));
    }
    check_range(cold.us_per_weight_byte(), 0, kMostUsPerByte, "colds.us_per_weight_byte", field);
    check_range(cold.us_per_activation_byte(), 0, kMostUsPerByte, "colds.us_per_activation_byte",
                field);
    cold_us_[static_cast<std::size_t>(cache - kCacheBytes.begin())] = {
        cold.us_per_weight_byte(), cold.us_per_activation_byte()};
  }
}

double Combination::share(int producer, int consumer) const {
  auto at = shares_.find({producer, consumer});
  if (at == shares_.end()) at = shares_.find({-1, consumer});
  return at == shares_.end() ? 0 : at->second;
}

double Combination::cold_us(const ColdBytes& cold) const {
  double us = 0;
  for (std::size_t i = 0; i < cold.size(); ++i) {
    us += cold[i].weight_bytes * cold_us_[i].weight_bytes +
          cold[i].activation_bytes * cold_us_[i].activation_bytes;
  }
  return us;
}

double pair_saving(double share, double latency, double call) {
  return share * std::max(0.0, latency - call);
}

double Combination::block_us(const BlockTerms& terms) const {
  if (terms.atoms < 2) return terms.sum_us * terms.slowdown + terms.waiting_us;
  double saving = call_us_ * static_cast<double>(terms.atoms - 1) - cold_us(terms.cold);
  for (const BlockTerms::Fed& fed : terms.fed) {
    saving += pair_saving(share(fed.producer, fed.consumer), fed.us, call_us_);
  }
  const double unloaded = std::max(terms.sum_us - saving, terms.sum_us * kLeastRest);
  return unloaded * terms.slowdown + terms.waiting_us;
}

}  // namespace adamec::predict
