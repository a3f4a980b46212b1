#pragma once

#include <string>
#include <utility>
#include <vector>

namespace adamec::draw {

// An SVG picture, element by element: what comes later lies on top. Coordinates in pixels from the
// upper left corner, rounded to tenths.
//
//   Svg svg(200, 100);
//   svg.line(0, 50, 200, 50, "stroke='#888'");
//   svg.text(100, 45, "a < b", Svg::Anchor::kMiddle);
//   write_file("picture.svg", svg.str());
class Svg {
 public:
  enum class Anchor { kStart, kMiddle, kEnd };

  Svg(double width, double height) : width_(width), height_(height) {}

  // `style` is a list of attributes, as it is: "fill='#eee' stroke='none'", "class='grid'". Texts
  // and titles are plain text.
  void rectangle(double x, double y, double width, double height, const std::string& style);
  void line(double x1, double y1, double x2, double y2, const std::string& style);
  void polyline(const std::vector<std::pair<double, double>>& points, const std::string& style);
  void polygon(const std::vector<std::pair<double, double>>& points, const std::string& style);
  void circle(double x, double y, double radius, const std::string& style);
  void path(const std::string& commands, const std::string& style);
  void text(double x, double y, const std::string& content, Anchor anchor = Anchor::kStart,
            const std::string& style = "");
  // Centred, and read from below to above: names of y axes.
  void rotated_text(double x, double y, const std::string& content);
  // A text that shows up when the pointer rests on what follows until end_group().
  void begin_group(const std::string& title, const std::string& style = "");
  void end_group() { body_ += "</g>\n"; }
  // What follows until end_group() is seen only inside the rectangle.
  void begin_clip(double x, double y, double width, double height);

  // The picture as a file of its own, on white.
  [[nodiscard]] std::string str() const;
  // The picture as an element of an HTML page (html_page.h): as wide as there is room for, on the
  // page's background, in the page's colours. `label` says what it shows to those who cannot see
  // it.
  [[nodiscard]] std::string element(const std::string& label) const;

 private:
  double width_;
  double height_;
  std::string body_;
  int clips_ = 0;
};

}  // namespace adamec::draw
