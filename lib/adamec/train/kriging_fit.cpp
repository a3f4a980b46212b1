#include "adamec/train/kriging_fit.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <map>
#include <string>

#include "adamec/predict/features.h"
#include "adamec/predict/kriging.h"
#include "adamec/train/linear_algebra.h"

namespace adamec::train {
namespace {

// How far apart two configurations may lie and still tell something about each other: sizes count
// by their natural logarithm, the rest as a change of kernel code would.
constexpr float kSizeScale = 5;
constexpr float kShapeScale = 6;
// Variance of residuals around their mean: a factor of 1.4.
constexpr double kVariance = 0.1;
// Share of the residual; the rest is the trees'. Of 1708 configurations of 23 networks, one thread,
// all configurations of a network left out, 77.8 / 90.1 % lie within 5 / 10 % with a share of 0.7,
// 78.4 / 90.4 with 0.85, 78.5 / 90.4 with 1; two threads 67.0, 69.4 and 68.3 % within 5.
constexpr double kShare = 0.85;

struct Coordinate {
  const char* feature;
  float scale;
};

constexpr std::array kCoordinates = {Coordinate{"log_macs", kSizeScale},
                                     Coordinate{"log_bytes_in", kSizeScale},
                                     Coordinate{"log_bytes_out", kSizeScale},
                                     Coordinate{"log_weight_bytes", kSizeScale},
                                     Coordinate{"log_steps", kSizeScale},
                                     Coordinate{"log_gemm_rows", kSizeScale},
                                     Coordinate{"log_gemm_columns", kSizeScale},
                                     Coordinate{"log_gemm_inner", kSizeScale},
                                     Coordinate{"log_second_input", kSizeScale},
                                     Coordinate{"log_batch", kSizeScale},
                                     Coordinate{"log_kernel_height", kShapeScale},
                                     Coordinate{"log_kernel_width", kShapeScale},
                                     Coordinate{"log_stride", kShapeScale},
                                     Coordinate{"log_groups", kShapeScale},
                                     Coordinate{"depthwise", kShapeScale},
                                     Coordinate{"dilation", kShapeScale},
                                     Coordinate{"rank", kShapeScale},
                                     Coordinate{"dim", kShapeScale},
                                     Coordinate{"aligned_channels", kShapeScale},
                                     Coordinate{"aligned_gemm_columns", kShapeScale},
                                     Coordinate{"aligned_gemm_inner", kShapeScale},
                                     Coordinate{"aligned_columns", kShapeScale},
                                     Coordinate{"log_run", kSizeScale}};

using Class = KrigingClass;

double covariance(const Class& points, std::size_t a, std::size_t b) {
  float square = 0;
  for (std::size_t i = 0; i < points.coordinates[a].size(); ++i) {
    const float difference = points.coordinates[a][i] - points.coordinates[b][i];
    square += difference * difference;
  }
  const float distance = std::sqrt(3 * square);
  return kVariance * (1 + distance) * std::exp(-distance);
}

// Points whose covariances explain the others' best, most telling first.
std::vector<std::size_t> chosen_points(const Class& points, std::size_t room) {
  constexpr double kLeastPivot = 1e-4 * kVariance;
  const std::size_t most = std::min(points.size(), room);
  std::vector<double> left(points.size(), kVariance);  // variance not explained yet
  std::vector<std::vector<double>> columns;
  std::vector<std::size_t> chosen;
  while (chosen.size() < most) {
    const auto pivot =
        static_cast<std::size_t>(std::max_element(left.begin(), left.end()) - left.begin());
    if (left[pivot] < kLeastPivot) break;
    const double root = std::sqrt(left[pivot]);
    std::vector<double> column(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      double sum = covariance(points, i, pivot);
      for (const auto& earlier : columns) sum -= earlier[i] * earlier[pivot];
      column[i] = sum / root;
      left[i] = std::max(0.0, left[i] - column[i] * column[i]);
    }
    left[pivot] = 0;
    columns.push_back(std::move(column));
    chosen.push_back(pivot);
  }
  return chosen;
}

double weighted_mean(const Class& points) {
  double sum = 0;
  double weights = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    sum += points.residuals[i] / points.variances[i];
    weights += 1 / points.variances[i];
  }
  return sum / weights;
}

// Weights of the chosen points for which all points are fitted best (subset of regressors:
// Rasmussen and Williams, eq. 8.14).
std::vector<double> solve_weights(const Class& points, const std::vector<std::size_t>& chosen,
                                  double mean) {
  const std::size_t size = chosen.size();
  std::vector<double> covariances(size * points.size());
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < points.size(); ++j) {
      covariances[i * points.size() + j] = covariance(points, chosen[i], j);
    }
  }
  std::vector<double> matrix(size * size);
  std::vector<double> right(size);
  for (std::size_t i = 0; i < size; ++i) {
    const double* row = &covariances[i * points.size()];
    for (std::size_t j = 0; j <= i; ++j) {
      const double* other = &covariances[j * points.size()];
      double sum = row[chosen[j]] + (i == j ? 1e-7 : 0);
      for (std::size_t k = 0; k < points.size(); ++k)
        sum += row[k] * other[k] / points.variances[k];
      matrix[i * size + j] = matrix[j * size + i] = sum;
    }
    for (std::size_t k = 0; k < points.size(); ++k) {
      right[i] += row[k] * (points.residuals[k] - mean) / points.variances[k];
    }
  }
  return solve_definite(std::move(matrix), std::move(right));
}

void add_kriging(const Class& points, v1::Kriging& kriging) {
  const double mean = weighted_mean(points);
  const std::vector<std::size_t> chosen = chosen_points(points, predict::Kriging::kFitPoints);
  const std::vector<double> weights = solve_weights(points, chosen, mean);
  kriging.set_mean(static_cast<float>(mean));
  for (std::size_t i = 0; i < kCoordinates.size(); ++i) {
    for (const std::size_t point : chosen) kriging.add_points(points.coordinates[point][i]);
  }
  for (const double weight : weights) {
    kriging.add_weights(static_cast<float>(weight * kVariance));
  }
}

}  // namespace

void fit_krigings(const Matrix& rows, std::span<const KrigingPoint> points,
                  v1::Predictor& predictor) {
  assert(points.size() == rows.rows());
  std::vector<int> columns;
  std::vector<float> scales;
  for (const Coordinate& coordinate : kCoordinates) {
    const auto& names = predictor.features();
    const auto at = std::find(names.begin(), names.end(), coordinate.feature);
    columns.push_back(static_cast<int>(at - names.begin()));
    scales.push_back(coordinate.scale);
    predictor.add_kriging_features(static_cast<std::uint32_t>(columns.back()));
    predictor.add_kriging_scales(coordinate.scale);
  }
  predictor.set_kriging_share(kShare);
  std::map<std::array<int, 4>, Class> classes;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const KrigingPoint& point = points[i];
    const auto row = std::span(rows.values).subspan(i * rows.columns, rows.columns);
    Class& same = classes[{point.operator_index, static_cast<int>(point.threads),
                           point.backend_index, predict::shape_family(row)}];
    predict::fill_coordinates(row, columns, scales, same.coordinates.emplace_back());
    same.residuals.push_back(point.residual);
    same.variances.push_back(point.variance);
  }
  for (const auto& [key, same] : classes) {
    v1::Kriging& kriging = *predictor.add_krigings();
    kriging.set_operator_index(static_cast<std::uint32_t>(key[0]));
    kriging.set_threads(static_cast<std::uint32_t>(key[1]));
    kriging.set_backend_index(static_cast<std::uint32_t>(key[2]));
    kriging.set_family(static_cast<std::uint32_t>(key[3]));
    add_kriging(same, kriging);
  }
}

void add_differences(const KrigingClass& differences, v1::Kriging& kriging) {
  const auto before = static_cast<std::size_t>(kriging.weights_size());
  if (differences.size() == 0 || before >= predict::Kriging::kMostPoints) return;
  const auto chosen = chosen_points(differences, predict::Kriging::kMostPoints - before);
  const std::vector<double> weights = solve_weights(differences, chosen, 0);
  // Points lie coordinate by coordinate: the new ones go behind the old ones of each.
  const google::protobuf::RepeatedField<float> old = kriging.points();
  kriging.clear_points();
  for (std::size_t i = 0; i < differences.coordinates.front().size(); ++i) {
    const auto begin = old.begin() + static_cast<std::ptrdiff_t>(i * before);
    kriging.mutable_points()->Add(begin, begin + static_cast<std::ptrdiff_t>(before));
    for (const std::size_t point : chosen) kriging.add_points(differences.coordinates[point][i]);
  }
  for (const double weight : weights) {
    kriging.add_weights(static_cast<float>(weight * kVariance));
  }
}

}  // namespace adamec::train
