#include "adamec/predict/kriging.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "adamec/base/error.h"

namespace adamec::predict {
namespace {

constexpr float kMaxNumber = 1e6F;  // far above any logarithm; sums stay finite
constexpr int kMaxCoordinates = 64;
constexpr float kSqrt3 = 1.7320508F;

// exp(-x) for x >= 0 to 2e-6 of it: 2^n times a polynomial on 0..1. The standard one takes as long
// as everything else here, because compilers cannot do several at once.
float exp_of_negative(float x) {
  const float exponent = -std::min(x, 80.0F) * 1.44269504F;
  const auto whole = static_cast<std::int32_t>(exponent) - 1;
  const float part = exponent - static_cast<float>(whole);
  const float power =
      0.99999994F +
      part * (0.69315308F +
              part * (0.24015361F +
                      part * (0.055826318F + part * (0.0089893397F + part * 0.0018775767F))));
  return power * std::bit_cast<float>((whole + 127) << 23);
}

void check_number(float value, const char* name, const std::string& field) {
  if (!(std::abs(value) <= kMaxNumber)) {
    fail("{}.{}: {}, expected at most {}", field, name, value, kMaxNumber);
  }
}

}  // namespace

Kriging::Kriging(const v1::Kriging& message, std::size_t coordinates, const std::string& field)
    : mean_(message.mean()),
      points_(message.points().begin(), message.points().end()),
      weights_(message.weights().begin(), message.weights().end()) {
  if (weights_.size() > kMostPoints || points_.size() != weights_.size() * coordinates) {
    fail(
        "{}: {} weights and {} numbers of points, expected at most {} weights and {} times as many",
        field, weights_.size(), points_.size(), kMostPoints, coordinates);
  }
  check_number(mean_, "mean", field);
  for (const float weight : weights_) check_number(weight, "weights", field);
  for (const float number : points_) check_number(number, "points", field);
}

float Kriging::residual(std::span<const float> coordinates) const {
  const std::size_t count = weights_.size();
  assert(points_.size() == count * coordinates.size());
  std::array<float, kMostPoints> squares;
  for (std::size_t i = 0; i < count; ++i) squares[i] = 0;
  const float* point = points_.data();
  for (const float x : coordinates) {
    for (std::size_t i = 0; i < count; ++i) {
      const float difference = x - point[i];
      squares[i] += difference * difference;
    }
    point += count;
  }
  float sum = mean_;
  for (std::size_t i = 0; i < count; ++i) {
    const float distance = kSqrt3 * std::sqrt(squares[i]);
    sum += weights_[i] * (1 + distance) * exp_of_negative(distance);
  }
  return sum;
}

namespace {

float coordinate(std::span<const float> row, int column, float scale) {
  const float value = row[static_cast<std::size_t>(column)];
  return std::isnan(value) ? 0 : value / scale;
}

}  // namespace

void fill_coordinates(std::span<const float> row, std::span<const int> columns,
                      std::span<const float> scales, std::vector<float>& coordinates) {
  assert(columns.size() == scales.size());
  coordinates.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    coordinates[i] = coordinate(row, columns[i], scales[i]);
  }
}

Krigings::Krigings(const v1::Predictor& message, std::span<const int> columns,
                   const std::string& source)
    : scales_(message.kriging_scales().begin(), message.kriging_scales().end()) {
  if (message.kriging_features_size() > kMaxCoordinates ||
      message.kriging_features_size() != message.kriging_scales_size()) {
    fail("{}: {} kriging_features and {} kriging_scales, expected the same number up to {}", source,
         message.kriging_features_size(), message.kriging_scales_size(), kMaxCoordinates);
  }
  for (const float scale : scales_) {
    if (!(scale >= 1e-3F && scale <= 1e6F)) {
      fail("{}: kriging_scales: {}, expected 0.001 to 1000000", source, scale);
    }
  }
  for (const std::uint32_t feature : message.kriging_features()) {
    if (feature >= columns.size()) {
      fail("{}: kriging_features: {}, expected below {}", source, feature, columns.size());
    }
    columns_.push_back(columns[feature]);
  }
  for (int i = 0; i < message.krigings_size(); ++i) {
    const v1::Kriging& kriging = message.krigings(i);
    const std::string field = fmt::format("{}: krigings[{}]", source, i);
    const std::array<int, 4> key = {
        static_cast<int>(kriging.operator_index()), static_cast<int>(kriging.threads()),
        static_cast<int>(kriging.backend_index()), static_cast<int>(kriging.family())};
    if (!by_class_.emplace(key, Kriging(kriging, columns_.size(), field)).second) {
      fail("{}: the second of its operator, threads, backend and family", field);
    }
  }
}

const Kriging* Krigings::find(int operator_index, unsigned threads, int backend_index,
                              int family) const {
  auto at = by_class_.find({operator_index, static_cast<int>(threads), backend_index, family});
  if (at == by_class_.end()) {
    at = by_class_.find({operator_index, static_cast<int>(threads), backend_index, 0});
  }
  return at == by_class_.end() ? nullptr : &at->second;
}

float Krigings::residual(const Kriging& kriging, std::span<const float> row) const {
  std::array<float, kMaxCoordinates> coordinates;  // no allocation: this is run for every atom
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    coordinates[i] = coordinate(row, columns_[i], scales_[i]);
  }
  return kriging.residual(std::span(coordinates.data(), columns_.size()));
}

}  // namespace adamec::predict
