#pragma once

#include <vector>

namespace adamec::draw {

// Values on a line of pixels. low < high; logarithmic axes need positive values.
struct Axis {
  double low = 0;
  double high = 1;
  bool logarithmic = false;
  double from = 0;  // pixel of `low`; may be the larger one, as y grows downwards
  double to = 1;    // pixel of `high`

  // Where a value lies; outside the axis beyond its ends.
  [[nodiscard]] double pixel(double value) const;
  [[nodiscard]] double value(double pixel) const;
  // Where a value lies; outside the axis at its nearer end.
  [[nodiscard]] double clamped_pixel(double value) const;
  // Round values within the axis, ascending, about `count` (>= 1) of them: 1, 2 or 5 times a power
  // of ten apart. On logarithmic axes of a decade and more powers of ten, at most about ten of
  // them, with 2 and 5 times these on up to two decades.
  [[nodiscard]] std::vector<double> ticks(int count) const;
};

}  // namespace adamec::draw
