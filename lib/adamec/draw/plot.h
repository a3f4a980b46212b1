#pragma once

#include <string>
#include <vector>

namespace adamec::draw {

// Plots as SVG elements that stand in an HTML page: no scripts, no external files. Colours come
// from the page's CSS classes: "axis", "grid", "line", "ideal", "band", "box", "s0" ... "s8".

struct PlotAxis {
  std::string label;
  bool logarithmic = false;  // decades; otherwise linear
  double least = 0;          // of the values shown; logarithmic: > 0
  double most = 1;
};

struct PlotPoint {
  double x = 0;
  double y = 0;
  int series = 0;
  std::string title;  // shown when the pointer rests on it; plain text
};

struct PlotSeries {
  std::string name;
  std::string style;  // CSS class
  std::vector<std::pair<double, double>> points;
};

// Points, with the diagonal and a band of `band` (0.1: ten percent) around it.
std::string scatter_svg(const PlotAxis& x, const PlotAxis& y, const std::vector<PlotPoint>& points,
                        double band);

// Lines with a legend.
std::string lines_svg(const PlotAxis& x, const PlotAxis& y, const std::vector<PlotSeries>& series);

// One row of a box plot: quantiles 5, 25, 50, 75 and 95 %.
struct PlotBox {
  std::string name;
  std::size_t count = 0;
  double quantiles[5] = {};
};

// Boxes below each other around a line at zero; values outside the axis are drawn at its end.
std::string boxes_svg(const PlotAxis& x, const std::vector<PlotBox>& boxes);

// Text as it may stand in HTML or SVG.
std::string html_escaped(const std::string& text);

}  // namespace adamec::draw
