#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// Interpolates residuals between measured configurations of one operator, number of threads and
// kernel family: simple kriging (a Gaussian process' mean) with a Matern 3/2 kernel. Latency is
// smooth in the logarithms of sizes wherever the kernel family stays the same, which trees with
// their steps express badly. (Rasmussen and Williams, Gaussian Processes for Machine Learning,
// 2006, eq. 2.25 and 4.17.)
//
//   residual(x) = mean + sum over points p of weight_p * k(|x - p|),
//   k(d) = (1 + sqrt(3) d) exp(-sqrt(3) d)
class Kriging {
 public:
  // More points would make a prediction take longer than the trees do. Training uses kFitPoints;
  // the rest is for what another device's samples add.
  static constexpr std::size_t kFitPoints = 144;
  static constexpr std::size_t kMostPoints = 224;

  Kriging() = default;
  // Throws Error, prefixed by `field`, for anything but finite numbers that fit together.
  Kriging(const v1::Kriging& message, std::size_t coordinates, const std::string& field);

  // One number per coordinate.
  [[nodiscard]] float residual(std::span<const float> coordinates) const;

 private:
  float mean_ = 0;
  std::vector<float> points_;  // coordinate by coordinate
  std::vector<float> weights_;
};

// The coordinates of a row of features: those of `columns` over `scales`; a missing one is 0.
void fill_coordinates(std::span<const float> row, std::span<const int> columns,
                      std::span<const float> scales, std::vector<float>& coordinates);

// All of a predictor's, by index of operator, number of threads, index of backend and family.
class Krigings {
 public:
  Krigings() = default;
  // `columns[f]` is where a row holds feature f of the message.
  Krigings(const v1::Predictor& message, std::span<const int> columns, const std::string& source);

  // That of family 0 where the family has none of its own.
  [[nodiscard]] const Kriging* find(int operator_index, unsigned threads, int backend_index,
                                    int family) const;
  [[nodiscard]] float residual(const Kriging& kriging, std::span<const float> row) const;
  [[nodiscard]] std::span<const int> columns() const { return columns_; }
  [[nodiscard]] std::span<const float> scales() const { return scales_; }

 private:
  std::vector<int> columns_;
  std::vector<float> scales_;
  std::map<std::array<int, 4>, Kriging> by_class_;
};

}  // namespace adamec::predict
