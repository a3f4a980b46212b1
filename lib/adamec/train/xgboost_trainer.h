#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adamec/v1/predictor.pb.h"

namespace adamec::train {

// Rows of numbers, NaN where missing; never infinite.
struct Matrix {
  std::size_t columns = 0;
  std::vector<float> values;  // row by row

  [[nodiscard]] std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
  void add_row(std::span<const float> row) { values.insert(values.end(), row.begin(), row.end()); }
};

struct BoostOptions {
  int rounds = 100;
  int depth = 4;
  double learning_rate = 0.1;
  double l2 = 1;                // penalty on leaf values
  double rows_per_tree = 1;     // share of rows each tree sees
  double columns_per_tree = 1;  // share of columns
  double least_child_rows = 1;
  std::vector<int> monotone;  // per column: 1 never falling, 0 free; empty: all free
  // Labels are positive and trees give the logarithm of their mean (gamma regression), which lies
  // above the mean of their logarithms; false: trees give the mean.
  bool log_of_mean = false;
  std::uint64_t seed = 0;
};

// A part of a training set that need not fit into memory.
struct Page {
  Matrix rows;
  std::vector<float> labels;
};
// Fills page `index`; false when there is none. Called several times, always with the same result.
using PageSource = std::function<bool(std::size_t index, Page& page)>;

// A regression by gradient-boosted trees: the only use of XGBoost. One thread,
// so that the same input gives the same trees on any machine. Throws Error when XGBoost fails.
class BoostedTrees {
 public:
  // `weights`: of the rows; empty: all the same.
  BoostedTrees(const Matrix& rows, std::span<const float> labels, const BoostOptions& options,
               std::span<const float> weights = {});
  // From pages, by XGBoost's external memory: only its own compressed copy of the rows, in files
  // that begin with `cache_prefix` and are deleted afterwards, is read again for every tree.
  BoostedTrees(const PageSource& source, const std::string& cache_prefix,
               const BoostOptions& options);
  ~BoostedTrees();
  BoostedTrees(const BoostedTrees&) = delete;
  BoostedTrees& operator=(const BoostedTrees&) = delete;

  // The trees as plain arrays (trees.h).
  [[nodiscard]] v1::TreeEnsemble ensemble() const;
  // XGBoost's own predictions, of the mean.
  [[nodiscard]] std::vector<float> predict(const Matrix& rows) const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

// Version of the XGBoost library in use: "1.7.4".
[[nodiscard]] std::string xgboost_version();

}  // namespace adamec::train
