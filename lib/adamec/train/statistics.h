#pragma once

#include <span>
#include <vector>

namespace adamec::train {

// Of an even number of values the mean of the middle two; NaN of none.
[[nodiscard]] double median(std::vector<double> values);

// The value below which `part` (0 to 1) of the sorted values lie, linear between two of them. At
// least one value.
[[nodiscard]] double quantile(std::span<const double> sorted, double part);

}  // namespace adamec::train
