#include "adamec/draw/svg.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace adamec::draw {
namespace {

struct Colour {
  int red;
  int green;
  int blue;
};

constexpr std::array<Colour, 8> kColours = {{{86, 180, 233},
                                             {230, 159, 0},
                                             {0, 158, 115},
                                             {204, 121, 167},
                                             {240, 228, 66},
                                             {0, 114, 178},
                                             {213, 94, 0},
                                             {153, 153, 153}}};

// Mixed with white (towards 1) or black (towards -1).
std::string mixed(const Colour& colour, double share) {
  const auto channel = [&](int value) {
    const double target = share > 0 ? 255 : 0;
    return static_cast<int>(std::lround(value + std::abs(share) * (target - value)));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(colour.red), channel(colour.green),
                     channel(colour.blue));
}

// Tenths of a pixel, without needless digits.
std::string pixels(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.size() > 2 && text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
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
      case '\'':
        result += "&#39;";
        break;
      default:
        result += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return result;
}

std::string fill_colour(std::size_t index) {
  constexpr std::array<double, 3> kShades = {0.45, 0.75, 0.1};
  return mixed(kColours[index % kColours.size()],
               kShades[index / kColours.size() % kShades.size()]);
}

std::string line_colour(std::size_t index) {
  return mixed(kColours[index % kColours.size()], -0.25);
}

double Axis::pixel(double value) const {
  const double share =
      logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + share * (to - from);
}

double Axis::value(double pixel) const {
  const double share = (pixel - from) / (to - from);
  return logarithmic ? low * std::pow(high / low, share) : low + share * (high - low);
}

std::vector<double> Axis::ticks(int count) const {
  std::vector<double> result;
  if (logarithmic && high / low >= 10) {
    const double decades = std::log10(high / low);
    for (double power = std::floor(std::log10(low)); power <= std::log10(high) + 1e-9; ++power) {
      for (double digit : {1.0, 2.0, 5.0}) {
        const double tick = digit * std::pow(10.0, power);
        const bool wanted = digit == 1 || decades <= 2;
        if (wanted && tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) result.push_back(tick);
      }
    }
    return result;
  }
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double digit = rough / power;
  const double step = power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
  const double first = std::ceil(low / step - 1e-9);
  for (double i = first; i * step <= high * (1 + 1e-12); ++i) {
    result.push_back(i == 0 ? 0 : i * step);  // not -0
  }
  return result;
}

void Svg::rectangle(double x, double y, double width, double height, const std::string& style) {
  body_ += fmt::format("<rect x='{}' y='{}' width='{}' height='{}' {}/>\n", pixels(x), pixels(y),
                       pixels(width), pixels(height), style);
}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& style) {
  body_ += fmt::format("<line x1='{}' y1='{}' x2='{}' y2='{}' {}/>\n", pixels(x1), pixels(y1),
                       pixels(x2), pixels(y2), style);
}

void Svg::polyline(const std::vector<std::pair<double, double>>& points, const std::string& style) {
  body_ += "<polyline points='";
  for (std::size_t i = 0; i < points.size(); ++i) {
    body_ += (i > 0 ? " " : "") + pixels(points[i].first) + ',' + pixels(points[i].second);
  }
  body_ += fmt::format("' fill='none' {}/>\n", style);
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

std::string html_page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" +
         escaped(title) +
         "</title>\n<style>\n"
         "body { font-family: sans-serif; color: #222; max-width: 1100px; margin: 2em auto; "
         "padding: 0 1em; }\n"
         "h1 { font-size: 1.4em; } h2 { font-size: 1.1em; margin-top: 1.6em; }\n"
         "table { border-collapse: collapse; font-size: 0.9em; }\n"
         "th, td { padding: 0.25em 0.8em; border-bottom: 1px solid #ddd; text-align: left; }\n"
         "td.number { text-align: right; font-variant-numeric: tabular-nums; }\n"
         ".swatch { display: inline-block; width: 1em; height: 1em; vertical-align: -0.1em; "
         "margin-right: 0.5em; border: 1px solid #888; }\n"
         ".wide { overflow-x: auto; }\n"
         "</style>\n</head>\n<body>\n<h1>" +
         escaped(title) + "</h1>\n" + body + "</body>\n</html>\n";
}

}  // namespace adamec::draw
