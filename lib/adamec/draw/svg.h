#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

namespace adamec::draw {

// Text for XML and HTML: & < > " escaped, control characters replaced.
std::string escaped(const std::string& text);

// Fill colours that stay apart in print and for the colour-blind (Okabe and Ito, lightened), used
// again in lighter and darker shades when there are more things than colours.
std::string fill_colour(std::size_t index);
// A darker tone of the same, for lines.
std::string line_colour(std::size_t index);

// Values on a line of pixels; logarithmic axes need positive values.
struct Axis {
  double low = 0;
  double high = 1;
  bool logarithmic = false;
  double from = 0;  // pixel of `low`
  double to = 1;

  double pixel(double value) const;
  double value(double pixel) const;
  // Round values within the axis, about `count` of them; powers of ten on logarithmic axes.
  std::vector<double> ticks(int count) const;
};

// An SVG picture, element by element. Coordinates in pixels, rounded to tenths.
class Svg {
 public:
  enum class Anchor { kStart, kMiddle, kEnd };

  Svg(double width, double height) : width_(width), height_(height) {}

  // `style` is a list of attributes: "fill='#eee' stroke='none'".
  void rectangle(double x, double y, double width, double height, const std::string& style);
  void line(double x1, double y1, double x2, double y2, const std::string& style);
  void polyline(const std::vector<std::pair<double, double>>& points, const std::string& style);
  void path(const std::string& commands, const std::string& style);
  void text(double x, double y, const std::string& content, Anchor anchor = Anchor::kStart,
            const std::string& style = "");
  // A text that shows up when the pointer rests on what follows until end_group().
  void begin_group(const std::string& title, const std::string& style = "");
  void end_group() { body_ += "</g>\n"; }
  // What follows until end_group() is seen only inside the rectangle.
  void begin_clip(double x, double y, double width, double height);

  std::string str() const;

 private:
  double width_;
  double height_;
  std::string body_;
  int clips_ = 0;
};

// A page of its own with this title; `body` is HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace adamec::draw
