#include "adamec/proto/latency.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace adamec {
namespace {

bool means_count(const v1::Sample& sample) {
  const v1::Context& context = sample.context();
  return (context.cpu_load() > 0 || context.cpu_quota() > 0) && sample.latency().mean_us() > 0;
}

}  // namespace

double typical_core_speed(std::span<const v1::Sample* const> samples) {
  std::vector<double> speeds;
  for (const v1::Sample* sample : samples) {
    if (sample->latency().core_speed() > 0) speeds.push_back(sample->latency().core_speed());
  }
  if (speeds.empty()) return 0;
  const auto middle = speeds.begin() + static_cast<std::ptrdiff_t>(speeds.size() / 2);
  std::nth_element(speeds.begin(), middle, speeds.end());
  return *middle;
}

double at_core_speed(double us, const v1::Sample& sample, double core_speed) {
  const double own = sample.latency().core_speed();
  if (!(us > 0 && own > 0 && core_speed > 0)) return us;
  using Limits = std::numeric_limits<double>;
  return std::clamp(us * (own / core_speed), Limits::min(), Limits::max());  // whatever a file says
}

double undisturbed_us(const v1::Sample& sample, double core_speed) {
  const v1::Latency& latency = sample.latency();
  if (latency.steady_us() <= 0) return latency.min_us();
  return at_core_speed(latency.steady_us(), sample, core_speed);
}

double typical_us(const v1::Sample& sample, double core_speed) {
  const v1::Latency& latency = sample.latency();
  const double us = means_count(sample) ? latency.mean_us() : latency.p50_us();
  return at_core_speed(us, sample, core_speed);
}

Halves halves(const v1::Sample& sample, double core_speed) {
  const v1::Latency& latency = sample.latency();
  Halves halves{latency.even_min_us(), latency.odd_min_us()};
  if (means_count(sample)) {
    halves = {latency.even_mean_us(), latency.odd_mean_us()};
  } else if (latency.steady_us() > 0) {
    halves = {latency.even_steady_us(), latency.odd_steady_us()};
  } else {
    return halves;
  }
  return {at_core_speed(halves.even_us, sample, core_speed),
          at_core_speed(halves.odd_us, sample, core_speed)};
}

}  // namespace adamec
