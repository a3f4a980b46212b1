#pragma once

#include <cstddef>
#include <vector>

namespace adamec::train {

// Solves matrix * x = right for a symmetric positive definite matrix, given row by row, by
// Cholesky's method. A pivot that is not positive (dependent columns) gets x = 0.
[[nodiscard]] std::vector<double> solve_definite(std::vector<double> matrix,
                                                 std::vector<double> right);

}  // namespace adamec::train
