#include "adamec/predict/baseline.h"

#include <cassert>
#include <cmath>
#include <limits>
#include <optional>

#include "adamec/base/error.h"

namespace adamec::predict {
namespace {

using Vector = std::array<double, 3>;

// Normal equations of the relative least squares problem, columns scaled to unit length.
struct Normal {
  std::array<Vector, 3> matrix{};
  Vector right{};
  Vector scale{};
};

Normal normal_equations(std::span<const CostPoint> points) {
  Normal normal;
  for (const CostPoint& point : points) {
    const Vector row = {point.macs / point.us, point.bytes / point.us, 1 / point.us};
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) normal.matrix[i][j] += row[i] * row[j];
      normal.right[i] += row[i];
    }
  }
  for (std::size_t i = 0; i < 3; ++i) normal.scale[i] = std::sqrt(normal.matrix[i][i]);
  for (std::size_t i = 0; i < 3; ++i) {
    if (normal.scale[i] == 0) continue;
    normal.right[i] /= normal.scale[i];
    for (std::size_t j = 0; j < 3; ++j) {
      if (normal.scale[j] != 0) normal.matrix[i][j] /= normal.scale[i] * normal.scale[j];
    }
  }
  return normal;
}

// The unconstrained solution with only the columns of `set` (bits), by elimination; nothing when
// they are linearly dependent.
std::optional<Vector> solve(const Normal& normal, unsigned set) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < 3; ++i) {
    if ((set >> i & 1) != 0) columns.push_back(i);
  }
  std::array<std::array<double, 4>, 3> rows{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      rows[i][j] = normal.matrix[columns[i]][columns[j]];
    }
    rows[i][3] = normal.right[columns[i]];
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {  // positive semi-definite: no pivoting
    if (rows[i][i] < 1e-9) return std::nullopt;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (k == i) continue;
      const double factor = rows[k][i] / rows[i][i];
      for (std::size_t j = 0; j < 4; ++j) rows[k][j] -= factor * rows[i][j];
    }
  }
  Vector result{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    result[columns[i]] = rows[i][3] / rows[i][i] / normal.scale[columns[i]];
  }
  return result;
}

double squared_error(std::span<const CostPoint> points, const LinearCost& cost) {
  double sum = 0;
  for (const CostPoint& point : points) {
    const double error = cost.us(point.macs, point.bytes) / point.us - 1;
    sum += error * error;
  }
  return sum;
}

}  // namespace

LinearCost fit_cost(std::span<const CostPoint> points) {
  assert(!points.empty());
  const Normal normal = normal_equations(points);
  LinearCost best;
  double least = std::numeric_limits<double>::infinity();
  for (unsigned set = 1; set < 8; ++set) {
    const auto solution = solve(normal, set);
    if (!solution || (*solution)[0] < 0 || (*solution)[1] < 0 || (*solution)[2] < 0) continue;
    const LinearCost cost{(*solution)[0], (*solution)[1], (*solution)[2]};
    const double error = squared_error(points, cost);
    if (error < least) {
      least = error;
      best = cost;
    }
  }
  return best;
}

Baselines::Baselines(const google::protobuf::RepeatedPtrField<v1::Baseline>& messages,
                     const std::string& source) {
  for (int i = 0; i < messages.size(); ++i) {
    const v1::Baseline& message = messages[i];
    const auto check = [&](const char* field, double value) {
      if (!std::isfinite(value) || value < 0) {
        fail("{}: baselines[{}].{}: {}, expected a number >= 0", source, i, field, value);
      }
    };
    check("us_per_mac", message.us_per_mac());
    check("us_per_byte", message.us_per_byte());
    check("constant_us", message.constant_us());
    const LinearCost cost{message.us_per_mac(), message.us_per_byte(), message.constant_us()};
    auto& entries = by_operator_[message.operator_()][message.threads()];
    if (message.threads() == 0 || !entries.emplace(message.backend(), cost).second) {
      fail("{}: baselines[{}]: bad or repeated: operator '{}', {} threads, backend '{}'", source, i,
           printable(message.operator_()), message.threads(), printable(message.backend()));
    }
  }
  if (!knows("")) fail("{}: baselines: none for operators never seen", source);
}

bool Baselines::knows(const std::string& operator_key) const {
  return by_operator_.contains(operator_key);
}

Baselines::Match Baselines::find(const Work& work, unsigned threads) const {
  auto known = by_operator_.find(work.class_key);
  if (known == by_operator_.end()) known = by_operator_.find(work.operator_key);
  const bool seen = known != by_operator_.end();
  const ByThreads& by_threads = seen ? known->second : by_operator_.find("")->second;
  // The nearest number of threads: at most as many as asked for, or the fewest there are.
  auto nearest = by_threads.upper_bound(threads);
  if (nearest != by_threads.begin()) --nearest;
  const ByBackend& by_backend = nearest->second;
  auto entry = by_backend.find(work.backend);
  if (entry == by_backend.end()) entry = by_backend.find(std::string_view(kAnyBackend));
  if (entry == by_backend.end()) entry = by_backend.begin();
  return {entry->second, seen && nearest->first == threads, nearest->first};
}

}  // namespace adamec::predict
