#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamec/base/units.h"
#include "adamec/draw/axis.h"
#include "adamec/draw/colours.h"
#include "adamec/draw/svg.h"
#include "adamec/report/atlas_report.h"

namespace adamec::report {
namespace {

constexpr double kWidth = 880;
constexpr double kLeft = 76;
constexpr double kRight = 840;
constexpr double kMapHeight = 260;
constexpr double kCurveHeight = 250;
constexpr int kColumns = 382;  // of the map, and points of the curve
constexpr int kRows = 65;
constexpr char kGrid[] = "stroke='#ddd'";
constexpr char kFrame[] = "fill='none' stroke='#888'";

bool is_logarithmic(const v1::AtlasRange& range) {
  const bool factors =
      range.quantity() == v1::AtlasRange::BANDWIDTH || range.quantity() == v1::AtlasRange::SLOWDOWN;
  return factors && range.high() / range.low() > 4;
}

// Draws one parameter to the right and, when there are several, a second one upwards; the others
// stay in the middle of their ranges.
class AtlasPicture {
 public:
  AtlasPicture(const v1::Atlas& atlas, const plan::AtlasTable& table)
      : atlas_(atlas), table_(table.table()) {
    const auto& ranges = atlas.ranges().ranges();
    for (int i = 0; i < ranges.size(); ++i) {
      const bool bandwidth = ranges[i].quantity() == v1::AtlasRange::BANDWIDTH;
      if (bandwidth && ranges[x_].quantity() != v1::AtlasRange::BANDWIDTH) x_ = i;
      values_.push_back(is_logarithmic(ranges[i]) ? std::sqrt(ranges[i].low() * ranges[i].high())
                                                  : (ranges[i].low() + ranges[i].high()) / 2);
    }
    for (int i = ranges.size() - 1; i >= 0; --i) {
      if (i != x_) y_ = i;
    }
    along_ = {range(x_).low(), range(x_).high(), is_logarithmic(range(x_)), kLeft, kRight};
  }

  std::string draw() {
    const double map = y_ >= 0 ? kMapHeight + 66 : 0;
    draw::Svg svg(kWidth, map + kCurveHeight + 92);
    if (y_ >= 0) draw_map(svg, 26);
    draw_curve(svg, map + 26);
    return svg.str();
  }

 private:
  const v1::AtlasRange& range(int index) const { return atlas_.ranges().ranges(index); }

  plan::Advice best() const { return plan::advise(table_, values_.data(), -1); }

  // What stays the same in a panel: "load phone 0.45, latency 5.0 ms".
  std::string fixed(bool map) const {
    std::string text;
    for (int i = 0; i < atlas_.ranges().ranges_size(); ++i) {
      if (i == x_ || (map && i == y_)) continue;
      text += (text.empty() ? " at " : ", ") + plan::range_name(range(i)) + ' ' +
              format_value(range(i), values_[i]);
    }
    return text;
  }

  void draw_x_axis(draw::Svg& svg, double top, double bottom) const {
    for (double tick : ticks(range(x_), along_, 8)) {
      const double x = along_.pixel(tick);
      svg.line(x, top, x, bottom + 5, kGrid);
      svg.text(x, bottom + 18, format_value(range(x_), tick), draw::Svg::Anchor::kMiddle);
    }
    svg.text((kLeft + kRight) / 2, bottom + 36, plan::range_name(range(x_)),
             draw::Svg::Anchor::kMiddle);
  }

  // Ticks that are round in the unit people read: megabits, not bytes.
  static std::vector<double> ticks(const v1::AtlasRange& range, draw::Axis axis, int count) {
    const double unit = range.quantity() == v1::AtlasRange::BANDWIDTH ? 8e-6
                        : range.quantity() == v1::AtlasRange::MEMORY  ? 0x1p-20
                                                                      : 1;
    axis.low *= unit;
    axis.high *= unit;
    std::vector<double> result = axis.ticks(count);
    for (double& tick : result) tick /= unit;
    return result;
  }

  struct AreaLabel {
    double x;
    double y;
  };

  // "0 ms", "250 ms", "1.5 s": round times need no decimals.
  static std::string format_tick(double ms) {
    return ms < 1000 ? fmt::format("{:.4g} ms", ms) : fmt::format("{:.4g} s", ms / 1e3);
  }

  void draw_map(draw::Svg& svg, double top) {
    const draw::Axis up{range(y_).low(), range(y_).high(), is_logarithmic(range(y_)),
                        top + kMapHeight, top};
    svg.text(kLeft, top - 10, "Best plan" + fixed(true));
    std::vector<std::string> areas(static_cast<std::size_t>(atlas_.plans_size()));
    std::vector<std::vector<AreaLabel>> labels(areas.size());  // where a number would be readable
    const double height = kMapHeight / kRows;
    const double width = (kRight - kLeft) / kColumns;
    const double middle = values_[y_];
    for (int row = 0; row < kRows; ++row) {
      const double y = top + row * height;
      values_[y_] = up.value(y + height / 2);
      int first = 0;
      int current = -1;
      for (int column = 0; column <= kColumns; ++column) {
        if (column < kColumns) values_[x_] = along_.value(kLeft + (column + 0.5) * width);
        const int plan = column < kColumns ? best().plan : -1;
        if (column > 0 && plan == current && column < kColumns) continue;
        if (current >= 0) {
          const double length = (column - first) * width;
          areas[current] += fmt::format("M{:.0f} {:.0f}h{:.0f}v{:.0f}h-{:.0f}z",
                                        kLeft + first * width, y, length, height, length);
          if (length > 24) labels[current].push_back({kLeft + first * width + length / 2, y});
        }
        first = column;
        current = plan;
      }
    }
    values_[y_] = middle;
    for (std::size_t i = 0; i < areas.size(); ++i) {
      if (areas[i].empty()) continue;
      svg.begin_group(describe(i));
      svg.path(areas[i], fmt::format("fill='{}'", draw::fill_colour(i)));
      if (labels[i].size() > 2) {
        const AreaLabel& middle_one = labels[i][labels[i].size() / 2];
        svg.text(middle_one.x, middle_one.y + height, fmt::format("{}", i),
                 draw::Svg::Anchor::kMiddle);
      }
      svg.end_group();
    }
    for (double tick : ticks(range(y_), up, 5)) {
      svg.line(kLeft - 5, up.pixel(tick), kLeft, up.pixel(tick), "stroke='#888'");
      svg.text(kLeft - 8, up.pixel(tick) + 4, format_value(range(y_), tick),
               draw::Svg::Anchor::kEnd);
    }
    svg.rotated_text(14, top + kMapHeight / 2, plan::range_name(range(y_)));
    draw_x_axis(svg, top + kMapHeight, top + kMapHeight);
    svg.rectangle(kLeft, top, kRight - kLeft, kMapHeight, kFrame);
  }

  std::string describe(std::size_t plan) const {
    std::vector<int> atoms(static_cast<std::size_t>(atlas_.tiers_size()), 0);
    for (char tier : atlas_.plans(static_cast<int>(plan)).placement()) {
      ++atoms[static_cast<unsigned char>(tier)];
    }
    std::string text = fmt::format("plan {}:", plan);
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      text +=
          fmt::format("{} {} on {}", i > 0 ? "," : "", atoms[i], atlas_.tiers(static_cast<int>(i)));
    }
    return text;
  }

  struct CurvePoint {
    double value;
    plan::Advice best;
  };

  void draw_curve(draw::Svg& svg, double top) {
    const double bottom = top + kCurveHeight;
    std::vector<CurvePoint> samples;
    double most = atlas_.deadline_ms();
    for (int i = 0; i <= kColumns; ++i) {
      values_[x_] = along_.value(kLeft + (kRight - kLeft) * i / kColumns);
      samples.push_back({values_[x_], best()});
      if (samples.back().best.plan >= 0) most = std::max(most, samples.back().best.latency_ms);
    }
    const draw::Axis up{0, most > 0 ? most * 1.15 : 1, false, bottom, top};
    svg.text(kLeft, top - 10, "Latency of the best plan" + fixed(false));
    for (double tick : up.ticks(5)) {
      svg.line(kLeft - 5, up.pixel(tick), kRight, up.pixel(tick), kGrid);
      svg.text(kLeft - 8, up.pixel(tick) + 4, format_tick(tick), draw::Svg::Anchor::kEnd);
    }
    draw_x_axis(svg, top, bottom);
    svg.begin_clip(kLeft, top, kRight - kLeft, kCurveHeight);
    draw_fixed_plans(svg, samples, up);
    draw_best(svg, samples, up, top, bottom);
    if (atlas_.deadline_ms() > 0) {
      const double y = up.pixel(atlas_.deadline_ms());
      svg.line(kLeft, y, kRight, y, "stroke='#c00' stroke-dasharray='6 4'");
      svg.text(kRight - 4, y - 5, "deadline " + format_ms(atlas_.deadline_ms()),
               draw::Svg::Anchor::kEnd, "fill='#c00'");
    }
    svg.end_group();
    svg.rectangle(kLeft, top, kRight - kLeft, kCurveHeight, kFrame);
  }

  // What each plan that is best somewhere on the curve would take elsewhere.
  void draw_fixed_plans(draw::Svg& svg, const std::vector<CurvePoint>& samples,
                        const draw::Axis& up) {
    std::vector<char> used(static_cast<std::size_t>(atlas_.plans_size()), 0);
    for (const CurvePoint& sample : samples) {
      if (sample.best.plan >= 0) used[sample.best.plan] = 1;
    }
    for (std::size_t plan = 0; plan < used.size(); ++plan) {
      if (!used[plan]) continue;
      std::vector<std::pair<double, double>> points;
      for (std::size_t i = 0; i < samples.size(); i += 2) {
        values_[x_] = samples[i].value;
        const double ms = plan::latency_ms(table_, values_.data(), static_cast<int>(plan));
        points.push_back({along_.pixel(samples[i].value), up.pixel(std::min(ms, 3 * up.high))});
      }
      svg.polyline(points,
                   fmt::format("stroke='{}' stroke-opacity='0.45'", draw::line_colour(plan)));
    }
  }

  // The curve, one colour per plan, with the parameter's value at every breakpoint.
  void draw_best(draw::Svg& svg, const std::vector<CurvePoint>& samples, const draw::Axis& up,
                 double top, double bottom) {
    double labelled = kLeft;
    for (std::size_t first = 0; first < samples.size();) {
      const int plan = samples[first].best.plan;
      std::size_t end = first;
      std::vector<std::pair<double, double>> points;
      while (end < samples.size() && samples[end].best.plan == plan) {
        points.push_back(
            {along_.pixel(samples[end].value), up.pixel(samples[end].best.latency_ms)});
        ++end;
      }
      if (plan >= 0) {
        svg.begin_group(describe(static_cast<std::size_t>(plan)));
        svg.polyline(points, fmt::format("stroke='{}' stroke-width='3'", draw::line_colour(plan)));
        svg.end_group();
        const double width = points.back().first - points.front().first;
        if (width > 16) {
          svg.text(points.front().first + width / 2, bottom - 8, fmt::format("{}", plan),
                   draw::Svg::Anchor::kMiddle, "font-weight='bold'");
        }
      }
      if (end < samples.size()) {
        const double value = breakpoint(samples[end - 1].value, samples[end].value);
        const double x = along_.pixel(value);
        svg.line(x, top, x, bottom, "stroke='#666' stroke-dasharray='2 3'");
        if (x - labelled > 84) {
          svg.text(x - 4, top + 14, format_value(range(x_), value), draw::Svg::Anchor::kEnd);
          labelled = x;
        }
      }
      first = end;
    }
  }

  // Where the plan changes between two values, by bisection.
  double breakpoint(double low, double high) {
    values_[x_] = low;
    const int plan = best().plan;
    for (int i = 0; i < 40; ++i) {
      values_[x_] = (low + high) / 2;
      (best().plan == plan ? low : high) = values_[x_];
    }
    return high;
  }

  const v1::Atlas& atlas_;
  const plan::LookupTable& table_;
  int x_ = 0;
  int y_ = -1;
  draw::Axis along_;
  std::vector<double> values_;  // where the look-ups are made
};

}  // namespace

std::string atlas_svg(const v1::Atlas& atlas, const plan::AtlasTable& table) {
  return AtlasPicture(atlas, table).draw();
}

}  // namespace adamec::report
