#include "adamec/draw/svg.h"

#include <fmt/format.h>

#include "adamec/draw/text.h"

namespace adamec::draw {
namespace {

std::string coordinates(const std::vector<std::pair<double, double>>& points) {
  std::string text;
  for (const auto& [x, y] : points) {
    text += (text.empty() ? "" : " ") + pixels(x) + ',' + pixels(y);
  }
  return text;
}

}  // namespace

void Svg::rectangle(double x, double y, double width, double height, const std::string& style) {
  body_ += fmt::format("<rect x='{}' y='{}' width='{}' height='{}' {}/>\n", pixels(x), pixels(y),
                       pixels(width), pixels(height), style);
}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& style) {
  body_ += fmt::format("<line x1='{}' y1='{}' x2='{}' y2='{}' {}/>\n", pixels(x1), pixels(y1),
                       pixels(x2), pixels(y2), style);
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, const std::string& style) {
  body_ += fmt::format("<polyline points='{}' fill='none' {}/>\n", coordinates(points), style);
}

void Svg::polygon(const std::vector<std::pair<double, double>>& points, const std::string& style) {
  body_ += fmt::format("<polygon points='{}' {}/>\n", coordinates(points), style);
}

void Svg::circle(double x, double y, double radius, const std::string& style) {
  body_ += fmt::format("<circle cx='{}' cy='{}' r='{}' {}/>\n", pixels(x), pixels(y),
                       pixels(radius), style);
}

void Svg::path(const std::string& commands, const std::string& style) {
  body_ += fmt::format("<path d='{}' {}/>\n", commands, style);
}

void Svg::text(double x, double y, const std::string& content, Anchor anchor,
               const std::string& style) {
  const char* at = anchor == Anchor::kStart    ? ""
                   : anchor == Anchor::kMiddle ? " text-anchor='middle'"
                                               : " text-anchor='end'";
  body_ += fmt::format("<text x='{}' y='{}'{}{}>{}</text>\n", pixels(x), pixels(y), at,
                       style.empty() ? "" : " " + style, escaped(content));
}

void Svg::rotated_text(double x, double y, const std::string& content) {
  text(x, y, content, Anchor::kMiddle,
       fmt::format("transform='rotate(-90 {} {})'", pixels(x), pixels(y)));
}

void Svg::begin_group(const std::string& title, const std::string& style) {
  body_ += fmt::format("<g{}>", style.empty() ? "" : " " + style);
  if (!title.empty()) body_ += "<title>" + escaped(title) + "</title>";
  body_ += '\n';
}

void Svg::begin_clip(double x, double y, double width, double height) {
  const int clip = clips_++;
  body_ += fmt::format("<clipPath id='clip{}'>", clip);
  body_ += fmt::format("<rect x='{}' y='{}' width='{}' height='{}'/></clipPath>", pixels(x),
                       pixels(y), pixels(width), pixels(height));
  body_ += fmt::format("<g clip-path='url(#clip{})'>\n", clip);
}

std::string Svg::str() const {
  return fmt::format(
             "<svg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}' "
             "viewBox='0 0 {0} {1}' font-family='sans-serif' font-size='12' fill='#222'>\n"
             "<rect width='{0}' height='{1}' fill='#fff'/>\n",
             pixels(width_), pixels(height_)) +
         body_ + "</svg>\n";
}

std::string Svg::element(const std::string& label) const {
  return fmt::format(
             "<svg xmlns='http://www.w3.org/2000/svg' class='chart' role='img' aria-label='{2}' "
             "viewBox='0 0 {0} {1}'>\n",
             pixels(width_), pixels(height_), escaped(label)) +
         body_ + "</svg>\n";
}

}  // namespace adamec::draw
