#pragma once

#include <span>
#include <vector>

#include "adamec/train/xgboost_trainer.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::train {

// One measured configuration as fit_krigings() takes it.
struct KrigingPoint {
  int operator_index = 0;
  unsigned threads = 1;
  int backend_index = 0;
  double residual = 0;  // log(t / baseline)
  double variance = 0;  // of the residual's noise, > 0
};

// Adds a Kriging (kriging.h) for each operator, number of threads and kernel family to the
// predictor, which has its features already. points[i] belongs to row i. Of many points the ones
// that say most about the others are kept (pivoted Cholesky), and all are fitted with them.
void fit_krigings(const Matrix& rows, std::span<const KrigingPoint> points,
                  v1::Predictor& predictor);

// What a class' kriging is fitted to.
struct KrigingClass {
  std::vector<std::vector<float>> coordinates;  // as fill_coordinates() makes them
  std::vector<double> residuals;
  std::vector<double> variances;

  [[nodiscard]] std::size_t size() const { return residuals.size(); }
};

// Adds the kriging of `differences` from a kriging to it, as far as there is room for points: the
// sum of both, with the mean as it is.
void add_differences(const KrigingClass& differences, v1::Kriging& kriging);

}  // namespace adamec::train
