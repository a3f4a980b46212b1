#include "adamec/draw/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace adamec::draw {
namespace {

constexpr double kWidth = 620;
constexpr double kLeft = 64;
constexpr double kRight = 20;
constexpr double kTop = 14;
constexpr double kBottom = 46;
constexpr double kRowHeight = 22;
constexpr double kNames = 230;  // room for the names of boxes

// The area between the axes, and where a value lies in it.
struct Frame {
  PlotAxis x;
  PlotAxis y;
  double left = kLeft;
  double top = kTop;
  double width = kWidth - kLeft - kRight;
  double height = 420 - kTop - kBottom;

  static double share(const PlotAxis& axis, double value) {
    const double kept = std::clamp(value, axis.least, axis.most);
    return axis.logarithmic ? std::log(kept / axis.least) / std::log(axis.most / axis.least)
                            : (kept - axis.least) / (axis.most - axis.least);
  }
  double px(double value) const { return left + width * share(x, value); }
  double py(double value) const { return top + height * (1 - share(y, value)); }
};

// Round numbers of an axis, five to ten of them.
std::vector<double> ticks_of(const PlotAxis& axis) {
  std::vector<double> ticks;
  if (axis.logarithmic) {
    const double decades = std::log10(axis.most / axis.least);
    const double step = std::pow(10, std::max(1.0, std::ceil(decades / 9)));
    double tick = std::pow(10, std::ceil(std::log10(axis.least) - 1e-9));
    for (; tick <= axis.most * (1 + 1e-9); tick *= step) ticks.push_back(tick);
    return ticks;
  }
  const double raw = (axis.most - axis.least) / 7;
  const double magnitude = std::pow(10, std::floor(std::log10(raw)));
  double step = magnitude;
  for (const double factor : {2.0, 5.0, 10.0}) {
    if (step < raw) step = magnitude * factor;
  }
  const double first = std::ceil(axis.least / step - 1e-9);
  for (double i = first; i * step <= axis.most + step * 1e-9; ++i)
    ticks.push_back(i == 0 ? 0 : i * step);
  return ticks;
}

std::string open_svg(double height, const std::string& label) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\" "
      "xmlns=\"http://www.w3.org/2000/svg\">\n",
      kWidth, height, html_escaped(label));
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y,
                     anchor, more, html_escaped(text));
}

std::string line_from(double x1, double y1, double x2, double y2, const char* style) {
  return fmt::format(
      "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", style, x1,
      y1, x2, y2);
}

std::string x_axis(const Frame& frame) {
  std::string svg;
  const double bottom = frame.top + frame.height;
  for (const double tick : ticks_of(frame.x)) {
    const double at = frame.px(tick);
    svg += line_from(at, frame.top, at, bottom, "grid");
    svg += text_at(at, bottom + 16, "middle", fmt::format("{:g}", tick));
  }
  svg += line_from(frame.left, bottom, frame.left + frame.width, bottom, "axis");
  return svg + text_at(frame.left + frame.width / 2, bottom + 36, "middle", frame.x.label);
}

std::string y_axis(const Frame& frame) {
  std::string svg;
  for (const double tick : ticks_of(frame.y)) {
    const double at = frame.py(tick);
    svg += line_from(frame.left, at, frame.left + frame.width, at, "grid");
    svg += text_at(frame.left - 6, at + 4, "end", fmt::format("{:g}", tick));
  }
  svg += line_from(frame.left, frame.top, frame.left, frame.top + frame.height, "axis");
  const double middle = frame.top + frame.height / 2;
  const std::string turned = fmt::format(" transform=\"rotate(-90 14 {:.1f})\"", middle);
  return svg + text_at(14, middle, "middle", frame.y.label, turned.c_str());
}

// The parallel to the diagonal at y = factor * x.
std::pair<double, double> at_factor(const Frame& frame, double x, double factor) {
  return {frame.px(x), frame.py(x * factor)};
}

std::string diagonal(const Frame& frame, double band) {
  const double least = std::max(frame.x.least, frame.y.least);
  const double most = std::min(frame.x.most, frame.y.most);
  std::string polygon;
  for (const auto& [x, factor] : {std::pair(least, 1 + band), std::pair(most, 1 + band),
                                  std::pair(most, 1 - band), std::pair(least, 1 - band)}) {
    const auto [px, py] = at_factor(frame, x, factor);
    polygon += fmt::format("{:.1f},{:.1f} ", px, py);
  }
  return fmt::format("<polygon class=\"band\" points=\"{}\"/>\n", polygon) +
         line_from(frame.px(least), frame.py(least), frame.px(most), frame.py(most), "ideal");
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:  // control characters may not stand in XML at all
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return result;
}

std::string scatter_svg(const PlotAxis& x, const PlotAxis& y, const std::vector<PlotPoint>& points,
                        double band) {
  const Frame frame{x, y};
  std::string svg = open_svg(420, y.label + " against " + x.label);
  svg += x_axis(frame) + y_axis(frame) + diagonal(frame, band);
  for (const PlotPoint& point : points) {
    svg += fmt::format(
        "<circle class=\"s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}</title></circle>\n",
        point.series, frame.px(point.x), frame.py(point.y), html_escaped(point.title));
  }
  return svg + "</svg>\n";
}

std::string lines_svg(const PlotAxis& x, const PlotAxis& y, const std::vector<PlotSeries>& series) {
  const Frame frame{x, y};
  std::string svg = open_svg(420, y.label + " against " + x.label);
  svg += x_axis(frame) + y_axis(frame);
  double row = frame.top + frame.height - 14 - 18 * static_cast<double>(series.size());
  for (const PlotSeries& line : series) {
    std::string path;
    for (const auto& [px, py] : line.points) {
      path += fmt::format("{:.1f},{:.1f} ", frame.px(px), frame.py(py));
    }
    svg += fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", line.style, path);
    row += 18;
    const double end = frame.left + frame.width;
    svg += line_from(end - 30, row - 4, end - 8, row - 4, line.style.c_str());
    svg += text_at(end - 36, row, "end", line.name);
  }
  return svg + "</svg>\n";
}

std::string boxes_svg(const PlotAxis& x, const std::vector<PlotBox>& boxes) {
  const double height = kRowHeight * static_cast<double>(boxes.size());
  Frame frame{x, {}};
  frame.left = kNames;
  frame.width = kWidth - kNames - kRight;
  frame.height = height;
  std::string svg = open_svg(height + kTop + kBottom, x.label) + x_axis(frame);
  svg += line_from(frame.px(0), frame.top, frame.px(0), frame.top + height, "ideal");
  double middle = frame.top - kRowHeight / 2;
  for (const PlotBox& box : boxes) {
    middle += kRowHeight;
    const auto at = [&](int quantile) { return frame.px(box.quantiles[quantile]); };
    svg += text_at(kNames - 8, middle + 4, "end", fmt::format("{} ({})", box.name, box.count));
    svg += line_from(at(0), middle, at(4), middle, "axis");
    svg += fmt::format(
        "<rect class=\"box\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"12\"/>\n", at(1),
        middle - 6, std::max(1.0, at(3) - at(1)));
    svg += line_from(at(2), middle - 6, at(2), middle + 6, "line");
  }
  return svg + "</svg>\n";
}

}  // namespace adamec::draw
