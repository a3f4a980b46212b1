#include "adamec/train/linear_algebra.h"

#include <cassert>
#include <cmath>

namespace adamec::train {

std::vector<double> solve_definite(std::vector<double> matrix, std::vector<double> right) {
  const std::size_t size = right.size();
  assert(matrix.size() == size * size);
  std::vector<bool> dependent(size, false);
  for (std::size_t i = 0; i < size; ++i) {  // in place: the lower triangle becomes the factor
    double* row = &matrix[i * size];
    for (std::size_t j = 0; j <= i; ++j) {
      const double* other = &matrix[j * size];
      double sum = row[j];
      for (std::size_t k = 0; k < j; ++k) sum -= row[k] * other[k];
      if (i != j) {
        row[j] = dependent[j] ? 0 : sum / other[j];
      } else {
        dependent[i] = !(sum > 1e-12 * std::abs(row[i]));
        row[i] = dependent[i] ? 1 : std::sqrt(sum);
      }
    }
    double sum = right[i];
    for (std::size_t k = 0; k < i; ++k) sum -= row[k] * right[k];
    right[i] = dependent[i] ? 0 : sum / row[i];
  }
  for (std::size_t i = size; i-- > 0;) {
    double sum = right[i];
    for (std::size_t k = i + 1; k < size; ++k) sum -= matrix[k * size + i] * right[k];
    right[i] = dependent[i] ? 0 : sum / matrix[i * size + i];
  }
  return right;
}

}  // namespace adamec::train
