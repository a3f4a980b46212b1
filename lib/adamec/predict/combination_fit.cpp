#include "adamec/predict/combination_fit.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "adamec/predict/linear_algebra.h"

namespace adamec::predict {
namespace {

// Standard deviations the coefficients are expected to have.
constexpr double kCallUs = 20;
constexpr double kConsumerShare = 0.3;
constexpr double kPairShare = 0.15;
constexpr int kRounds = 5;

using Pair = std::pair<int, int>;

// Columns of the regression: 0 is the call, then consumers, then pairs.
struct Columns {
  std::map<Pair, std::size_t> of;  // consumers as {-1, consumer}
  std::vector<double> prior = {1 / (kCallUs * kCallUs)};

  void add(const Pair& pair, double deviation) {
    if (of.emplace(pair, prior.size()).second) prior.push_back(1 / (deviation * deviation));
  }
};

Columns columns_of(std::span<const MeasuredBlock> blocks) {
  Columns columns;
  for (const MeasuredBlock& block : blocks) {
    for (const BlockTerms::Fed& fed : block.terms.fed) {
      if (fed.consumer < 0) continue;
      columns.add({-1, fed.consumer}, kConsumerShare);
      if (fed.producer >= 0) columns.add({fed.producer, fed.consumer}, kPairShare);
    }
  }
  return columns;
}

// Each block's gain over its latency, by column.
std::vector<double> row_of(const MeasuredBlock& block, const Columns& columns) {
  std::vector<double> row(columns.prior.size(), 0);
  row[0] = static_cast<double>(block.terms.atoms - 1) / block.us;
  for (const BlockTerms::Fed& fed : block.terms.fed) {
    if (fed.consumer < 0) continue;
    row[columns.of.at({-1, fed.consumer})] += fed.us / block.us;
    if (fed.producer >= 0) row[columns.of.at({fed.producer, fed.consumer})] += fed.us / block.us;
  }
  return row;
}

double gain_of(const MeasuredBlock& block) { return block.terms.sum_us / block.us - 1; }

// `noise`: least variance of a block's relative error, whatever its measurement says. `call`: what
// a call takes, where that is known.
std::vector<double> solve(std::span<const MeasuredBlock> blocks, const Columns& columns,
                          std::optional<double> call, double noise) {
  const std::size_t size = columns.prior.size();
  std::vector<double> matrix(size * size, 0);
  std::vector<double> right(size, 0);
  for (std::size_t i = 0; i < size; ++i) matrix[i * size + i] = columns.prior[i];
  for (const MeasuredBlock& block : blocks) {
    std::vector<double> row = row_of(block, columns);
    double gain = gain_of(block);
    if (call) gain -= row[0] * *call;
    if (call) row[0] = 0;
    const double variance = std::max(block.variance, noise);
    for (std::size_t i = 0; i < size; ++i) {
      if (row[i] == 0) continue;
      right[i] += row[i] * gain / variance;
      for (std::size_t j = 0; j < size; ++j) {
        matrix[i * size + j] += row[i] * row[j] / variance;
      }
    }
  }
  std::vector<double> solution = solve_definite(std::move(matrix), std::move(right));
  if (call) solution[0] = *call;
  return solution;
}

// Mean square of what a solution leaves unexplained.
double unexplained(std::span<const MeasuredBlock> blocks, const Columns& columns,
                   const std::vector<double>& solution) {
  double sum = 0;
  for (const MeasuredBlock& block : blocks) {
    const std::vector<double> row = row_of(block, columns);
    double error = gain_of(block);
    for (std::size_t i = 0; i < row.size(); ++i) error -= row[i] * solution[i];
    sum += error * error;
  }
  return sum / static_cast<double>(blocks.size());
}

}  // namespace

v1::Combination fit_combination(std::span<const MeasuredBlock> blocks, unsigned threads) {
  const Columns columns = columns_of(blocks);
  double most_call = blocks.front().terms.least_us;
  for (const MeasuredBlock& block : blocks) most_call = std::min(most_call, block.terms.least_us);
  // The noise is what the solution leaves over: first of none, then of the one before.
  std::vector<double> solution(columns.prior.size(), 0);
  for (int round = 0; round < kRounds; ++round) {
    const double noise = unexplained(blocks, columns, solution);
    solution = solve(blocks, columns, std::nullopt, noise);
    // A call takes something, but less than the least atom, which is called too.
    const double call = std::clamp(solution[0], 0.0, most_call);
    if (call != solution[0]) solution = solve(blocks, columns, call, noise);
  }
  v1::Combination combination;
  combination.set_threads(threads);
  combination.set_samples(static_cast<std::uint32_t>(blocks.size()));
  combination.set_call_us(solution[0]);
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

}  // namespace adamec::predict
