#include "adamec/draw/axis.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace adamec::draw {
namespace {

constexpr double kRounding = 1e-9;
constexpr double kMostDecadeTicks = 9;
constexpr int kMostTicks = 1000;  // more only arise where a step is lost in rounding

std::vector<double> decade_ticks(const Axis& axis) {
  const double decades = std::log10(axis.high / axis.low);
  const double step = std::max(1.0, std::ceil(decades / kMostDecadeTicks - kRounding));
  std::vector<double> result;
  double power = std::floor(std::log10(axis.low) / step) * step;
  for (; power <= std::log10(axis.high) + kRounding; power += step) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double tick = digit * std::pow(10.0, power);
      const bool wanted = digit == 1 || decades <= 2;
      const bool inside = tick >= axis.low * (1 - kRounding) && tick <= axis.high * (1 + kRounding);
      if (wanted && inside) result.push_back(tick);
    }
  }
  return result;
}

}  // namespace

double Axis::pixel(double value) const {
  assert(low < high);
  const double share =
      logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + share * (to - from);
}

double Axis::value(double pixel) const {
  assert(from != to);
  const double share = (pixel - from) / (to - from);
  return logarithmic ? low * std::pow(high / low, share) : low + share * (high - low);
}

double Axis::clamped_pixel(double value) const { return pixel(std::clamp(value, low, high)); }

std::vector<double> Axis::ticks(int count) const {
  assert(low < high && count > 0 && (!logarithmic || low > 0));
  if (logarithmic && high / low >= 10) return decade_ticks(*this);
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double digit = rough / power;
  const double step = power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
  const double first = std::ceil(low / step - kRounding);
  std::vector<double> result;
  for (int i = 0; i < kMostTicks; ++i) {
    const double tick = (first + i) * step;
    if (!(tick <= high + step * kRounding)) break;
    result.push_back(tick == 0 ? 0 : tick);  // not -0
  }
  return result;
}

}  // namespace adamec::draw
