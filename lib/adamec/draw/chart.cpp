#include "adamec/draw/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "adamec/draw/axis.h"
#include "adamec/draw/svg.h"

namespace adamec::draw {
namespace {

constexpr double kWidth = 620;
constexpr double kHeight = 420;
constexpr double kLeft = 64;
constexpr double kRight = kWidth - 20;
constexpr double kTop = 14;
constexpr double kBottomMargin = 46;
constexpr double kBottom = kHeight - kBottomMargin;
constexpr double kRowHeight = 22;
constexpr double kNames = 230;  // room for the names of boxes
constexpr int kTicks = 6;

Axis pixel_axis(const ChartAxis& axis, double from, double to) {
  return {axis.low, axis.high, axis.logarithmic, from, to};
}

void draw_x_axis(Svg& svg, const Axis& axis, const std::string& label, double bottom) {
  for (const double tick : axis.ticks(kTicks)) {
    const double at = axis.pixel(tick);
    svg.line(at, kTop, at, bottom, "class='grid'");
    svg.text(at, bottom + 16, fmt::format("{:.6g}", tick), Svg::Anchor::kMiddle);
  }
  svg.line(axis.from, bottom, axis.to, bottom, "class='axis'");
  svg.text((axis.from + axis.to) / 2, bottom + 36, label, Svg::Anchor::kMiddle);
}

void draw_y_axis(Svg& svg, const Axis& axis, const std::string& label) {
  for (const double tick : axis.ticks(kTicks)) {
    const double at = axis.pixel(tick);
    svg.line(kLeft, at, kRight, at, "class='grid'");
    svg.text(kLeft - 6, at + 4, fmt::format("{:.6g}", tick), Svg::Anchor::kEnd);
  }
  svg.line(kLeft, kTop, kLeft, kBottom, "class='axis'");
  svg.rotated_text(14, (kTop + kBottom) / 2, label);
}

// The diagonal of the part that both axes have.
void draw_diagonal(Svg& svg, const Axis& x, const Axis& y, double band) {
  const double low = std::max(x.low, y.low);
  const double high = std::min(x.high, y.high);
  if (low >= high) return;
  std::vector<std::pair<double, double>> corners;
  for (const auto& [value, factor] : {std::pair(low, 1 + band), std::pair(high, 1 + band),
                                      std::pair(high, 1 - band), std::pair(low, 1 - band)}) {
    corners.emplace_back(x.pixel(value), y.clamped_pixel(value * factor));
  }
  svg.polygon(corners, "class='band'");
  svg.line(x.pixel(low), y.pixel(low), x.pixel(high), y.pixel(high), "class='ideal'");
}

}  // namespace

std::string scatter_chart(const ChartAxis& x, const ChartAxis& y,
                          const std::vector<ChartPoint>& points, double band) {
  assert(band >= 0 && band < 1);
  const Axis across = pixel_axis(x, kLeft, kRight);
  const Axis up = pixel_axis(y, kBottom, kTop);
  Svg svg(kWidth, kHeight);
  draw_x_axis(svg, across, x.label, kBottom);
  draw_y_axis(svg, up, y.label);
  draw_diagonal(svg, across, up, band);
  for (const ChartPoint& point : points) {
    svg.begin_group(point.title);
    svg.circle(across.clamped_pixel(point.x), up.clamped_pixel(point.y), 3,
               fmt::format("fill='{}'", point.colour));
    svg.end_group();
  }
  return svg.element(y.label + " against " + x.label);
}

std::string line_chart(const ChartAxis& x, const ChartAxis& y,
                       const std::vector<ChartLine>& lines) {
  const Axis across = pixel_axis(x, kLeft, kRight);
  const Axis up = pixel_axis(y, kBottom, kTop);
  Svg svg(kWidth, kHeight);
  draw_x_axis(svg, across, x.label, kBottom);
  draw_y_axis(svg, up, y.label);
  double row = kBottom - 14 - 18 * static_cast<double>(lines.size());
  for (const ChartLine& line : lines) {
    const std::string style = fmt::format("class='{}'", line.style);
    std::vector<std::pair<double, double>> path;
    for (const auto& [px, py] : line.points) {
      path.emplace_back(across.clamped_pixel(px), up.clamped_pixel(py));
    }
    svg.polyline(path, style);
    row += 18;
    svg.line(kRight - 30, row - 4, kRight - 8, row - 4, style);
    svg.text(kRight - 36, row, line.name, Svg::Anchor::kEnd);
  }
  return svg.element(y.label + " against " + x.label);
}

std::string box_chart(const ChartAxis& x, const std::vector<ChartBox>& boxes) {
  assert(x.low <= 0 && x.high >= 0);
  const Axis across = pixel_axis(x, kNames, kRight);
  const double bottom = kTop + kRowHeight * static_cast<double>(boxes.size());
  Svg svg(kWidth, bottom + kBottomMargin);
  draw_x_axis(svg, across, x.label, bottom);
  svg.line(across.pixel(0), kTop, across.pixel(0), bottom, "class='ideal'");
  double middle = kTop - kRowHeight / 2;
  for (const ChartBox& box : boxes) {
    middle += kRowHeight;
    std::array<double, 5> at = {};
    std::transform(box.quantiles.begin(), box.quantiles.end(), at.begin(),
                   [&](double value) { return across.clamped_pixel(value); });
    svg.text(kNames - 8, middle + 4, fmt::format("{} ({})", box.name, box.count),
             Svg::Anchor::kEnd);
    svg.line(at[0], middle, at[4], middle, "class='axis'");
    svg.rectangle(at[1], middle - 6, std::max(1.0, at[3] - at[1]), 12, "class='box'");
    svg.line(at[2], middle - 6, at[2], middle + 6, "class='line'");
  }
  return svg.element(x.label);
}

}  // namespace adamec::draw
