#include "adamec/train/combination_fit.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "adamec/train/linear_algebra.h"

namespace adamec::train {
namespace {

// Standard deviations the coefficients are expected to have. Shares lie between 0 and 1, most of
// them; those of pairs around that of their consumer.
constexpr double kCallUs = 20;
constexpr double kConsumerShare = 0.5;
constexpr double kPairShare = 0.15;
constexpr double kColdUsPerByte = 5e-4;  // 2 GB/s
constexpr double kRobust = 4;            // squared errors of so many times the noise count half
constexpr int kRounds = 6;

using Pair = std::pair<int, int>;

constexpr std::size_t kCaches = predict::kCacheBytes.size();
constexpr std::size_t kFirstCold = 1;  // for each cache weights and activations

// Columns of the regression: 0 is the call, then cold bytes, then consumers and pairs.
struct Columns {
  std::map<Pair, std::size_t> of;  // consumers as {-1, consumer}
  std::vector<double> prior = {1 / (kCallUs * kCallUs)};

  Columns() { prior.resize(kFirstCold + 2 * kCaches, 1 / (kColdUsPerByte * kColdUsPerByte)); }

  void add(const Pair& pair, double deviation) {
    if (of.emplace(pair, prior.size()).second) prior.push_back(1 / (deviation * deviation));
  }
};

Columns columns_of(std::span<const MeasuredBlock> blocks) {
  Columns columns;
  for (const MeasuredBlock& block : blocks) {
    for (const predict::BlockTerms::Fed& fed : block.terms.fed) {
      if (fed.consumer < 0) continue;
      columns.add({-1, fed.consumer}, kConsumerShare);
      if (fed.producer >= 0) columns.add({fed.producer, fed.consumer}, kPairShare);
    }
  }
  return columns;
}

// Each block's saving over its latency, by column. What is cold is a loss. What a call takes is
// gained whatever the share: the part of a consumer that a share is of is known when the call is.
std::vector<double> row_of(const MeasuredBlock& block, const Columns& columns, double call_us) {
  std::vector<double> row(columns.prior.size(), 0);
  row[0] = static_cast<double>(block.terms.atoms - 1) / block.us;
  for (std::size_t i = 0; i < kCaches; ++i) {
    row[kFirstCold + 2 * i] = -block.terms.cold[i].weight_bytes / block.us;
    row[kFirstCold + 2 * i + 1] = -block.terms.cold[i].activation_bytes / block.us;
  }
  for (const predict::BlockTerms::Fed& fed : block.terms.fed) {
    if (fed.consumer < 0) continue;
    const double part = std::max(0.0, fed.us - call_us) / block.us;
    row[columns.of.at({-1, fed.consumer})] += part;
    if (fed.producer >= 0) row[columns.of.at({fed.producer, fed.consumer})] += part;
  }
  return row;
}

class Regression {
 public:
  Regression(std::span<const MeasuredBlock> blocks, const Columns& columns)
      : blocks_(blocks), columns_(columns) {
    most_call_ = blocks.front().terms.least_us;
    for (const MeasuredBlock& block : blocks) {
      savings_.push_back(block.terms.sum_us / block.us - 1);
      most_call_ = std::min(most_call_, block.terms.least_us);
    }
  }

  // Errors much larger than the noise count less: some blocks run another way than their atoms.
  std::vector<double> solution() {
    std::vector<double> solution(columns_.prior.size(), 0);
    for (int round = 0; round < kRounds; ++round) {
      rows_.clear();
      for (const MeasuredBlock& block : blocks_) {
        rows_.push_back(row_of(block, columns_, solution[0]));
      }
      const std::vector<double> squares = unexplained(solution);
      const double noise = noise_of(squares);
      std::vector<double> variances;
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        variances.push_back(std::max(blocks_[i].variance, noise) *
                            (1 + squares[i] / (kRobust * noise)));
      }
      solution = solve_within_range(variances);
    }
    return solution;
  }

 private:
  using Fixed = std::map<std::size_t, double>;  // column, value

  // A call takes something, but less than the least atom, which is called too; and nothing is
  // gained from colder caches.
  std::vector<double> solve_within_range(const std::vector<double>& variances) const {
    Fixed fixed;
    while (true) {
      const std::vector<double> solution = solve(variances, fixed);
      const std::size_t before = fixed.size();
      for (std::size_t i = 0; i < kFirstCold + 2 * kCaches; ++i) {
        const double most = i == 0 ? most_call_ : std::numeric_limits<double>::infinity();
        const double within = std::clamp(solution[i], 0.0, most);
        if (within != solution[i]) fixed.emplace(i, within);
      }
      if (fixed.size() == before) return solution;
    }
  }

  std::vector<double> solve(const std::vector<double>& variances, const Fixed& fixed) const {
    const std::size_t size = columns_.prior.size();
    std::vector<double> matrix(size * size, 0);
    std::vector<double> right(size, 0);
    // Scaled to the expected deviations: costs of a byte and shares differ by orders of magnitude.
    std::vector<double> scale(size);
    for (std::size_t i = 0; i < size; ++i) {
      scale[i] = 1 / std::sqrt(columns_.prior[i]);
      matrix[i * size + i] = 1;
    }
    for (std::size_t k = 0; k < rows_.size(); ++k) {
      std::vector<double> row = rows_[k];
      double saving = savings_[k];
      for (const auto& [column, value] : fixed) {
        saving -= row[column] * value;
        row[column] = 0;
      }
      for (std::size_t i = 0; i < size; ++i) row[i] *= scale[i];
      for (std::size_t i = 0; i < size; ++i) {
        if (row[i] == 0) continue;
        right[i] += row[i] * saving / variances[k];
        for (std::size_t j = 0; j < size; ++j)
          matrix[i * size + j] += row[i] * row[j] / variances[k];
      }
    }
    std::vector<double> solution = solve_definite(std::move(matrix), std::move(right));
    for (std::size_t i = 0; i < size; ++i) solution[i] *= scale[i];
    for (const auto& [column, value] : fixed) solution[column] = value;
    return solution;
  }

  // Squares of what a solution leaves unexplained.
  std::vector<double> unexplained(const std::vector<double>& solution) const {
    std::vector<double> squares;
    for (std::size_t k = 0; k < rows_.size(); ++k) {
      double error = savings_[k];
      for (std::size_t i = 0; i < solution.size(); ++i) error -= rows_[k][i] * solution[i];
      squares.push_back(error * error);
    }
    return squares;
  }

  // The variance of errors, by their median.
  static double noise_of(std::vector<double> squares) {
    constexpr double kNormal = 2.198;  // of normal errors: 1 / 0.6745^2
    constexpr double kLeast = 1e-6;
    const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
    std::nth_element(squares.begin(), middle, squares.end());
    return std::max(kLeast, kNormal * *middle);
  }

  std::span<const MeasuredBlock> blocks_;
  const Columns& columns_;
  std::vector<std::vector<double>> rows_;
  std::vector<double> savings_;
  double most_call_ = 0;
};

}  // namespace

v1::Combination fit_combination(std::span<const MeasuredBlock> blocks, unsigned threads) {
  assert(!blocks.empty());
  const Columns columns = columns_of(blocks);
  const std::vector<double> solution = Regression(blocks, columns).solution();
  v1::Combination combination;
  combination.set_threads(threads);
  combination.set_samples(static_cast<std::uint32_t>(blocks.size()));
  combination.set_call_us(solution[0]);
  for (std::size_t i = 0; i < kCaches; ++i) {
    v1::Combination::Cold& cold = *combination.add_colds();
    cold.set_cache_bytes(predict::kCacheBytes[i]);
    cold.set_us_per_weight_byte(std::min(1.0, solution[kFirstCold + 2 * i]));
    cold.set_us_per_activation_byte(std::min(1.0, solution[kFirstCold + 2 * i + 1]));
  }
  for (const auto& [pair, column] : columns.of) {
    double share = solution[column];
    if (pair.first >= 0) share += solution[columns.of.at({-1, pair.second})];
    v1::Combination::Pair& added = *combination.add_pairs();
    added.set_producer_index(pair.first);
    added.set_consumer_index(static_cast<std::uint32_t>(pair.second));
    added.set_share(std::clamp(share, -4.0, 1.0));
  }
  return combination;
}

}  // namespace adamec::train
