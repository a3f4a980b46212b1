#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace adamec::draw {

// Charts as SVG elements that stand in an html_page(): no scripts, no external files. Values
// outside an axis are drawn at its nearer end.

struct ChartAxis {
  std::string label;
  bool logarithmic = false;  // decades; otherwise linear
  double low = 0;            // < high; logarithmic: > 0
  double high = 1;
};

struct ChartPoint {
  double x = 0;
  double y = 0;
  std::string colour;  // "#rrggbb"
  std::string title;   // shown when the pointer rests on it; plain text
};

// Points, with the diagonal and a band of `band` (0.1: ten percent) around it.
[[nodiscard]] std::string scatter_chart(const ChartAxis& x, const ChartAxis& y,
                                        const std::vector<ChartPoint>& points, double band);

struct ChartLine {
  std::string name;
  std::string style;  // a class of html_page()'s style: "line", "ceiling" or "ideal"
  std::vector<std::pair<double, double>> points;
};

// Lines with a legend.
[[nodiscard]] std::string line_chart(const ChartAxis& x, const ChartAxis& y,
                                     const std::vector<ChartLine>& lines);

// One row of a box chart.
struct ChartBox {
  std::string name;
  std::size_t count = 0;                 // of values; shown behind the name
  std::array<double, 5> quantiles = {};  // 5, 25, 50, 75 and 95 %
};

// Boxes below each other around a line at zero, which must lie on the axis.
[[nodiscard]] std::string box_chart(const ChartAxis& x, const std::vector<ChartBox>& boxes);

}  // namespace adamec::draw
