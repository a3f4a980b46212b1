#include "adamec/measure/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace adamec::measure {
namespace {

constexpr double kLoadedBlockUs = 10e3;
constexpr double kLoadedVisitUs = 30e3;
constexpr double kBlockMargin = 1.1;      // calibrated blocks come out a little too long
constexpr double kLargestGrowth = 100.0;  // between two tries at a block length

void run_block(Runnable& runnable, std::uint64_t runs) {
  for (std::uint64_t i = 0; i < runs; ++i) runnable.run();
}

double minimum_of(const std::vector<double>& values, std::size_t first, std::size_t step) {
  double minimum = std::numeric_limits<double>::infinity();
  for (std::size_t i = first; i < values.size(); i += step) minimum = std::min(minimum, values[i]);
  return std::isfinite(minimum) ? minimum : 0;
}

}  // namespace

VisitOptions visit_options(double cpu_load) {
  VisitOptions options;
  if (cpu_load > 0) {
    options.block_us = kLoadedBlockUs;
    options.visit_us = kLoadedVisitUs;
  }
  return options;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double weight = position - static_cast<double>(below);
  return values[below] + weight * (values[above] - values[below]);
}

void Series::calibrate(Runnable& runnable, const Clock& clock, const VisitOptions& options) {
  run_block(runnable, options.warm_ups);
  std::uint64_t runs = 1;
  for (;;) {
    const double start = clock.wall_us();
    run_block(runnable, runs);
    const double block_us = clock.wall_us() - start;
    if (block_us >= options.block_us) break;
    const double wanted = kBlockMargin * options.block_us / std::max(block_us, 1e-3);
    const double growth = std::clamp(wanted, kBlockMargin, kLargestGrowth);
    runs = std::max(runs + 1, static_cast<std::uint64_t>(static_cast<double>(runs) * growth));
  }
  block_runs_ = runs;
}

void Series::visit(Runnable& runnable, const Clock& clock, const VisitOptions& options) {
  if (block_runs_ == 0) {
    calibrate(runnable, clock, options);
  } else {
    runnable.run();  // brings its weights and activations back into the caches
  }
  const double end = clock.wall_us() + options.visit_us;
  const double runs = static_cast<double>(block_runs_);
  double minimum = std::numeric_limits<double>::infinity();
  double wall = 0;
  do {
    const double start_cpu = clock.cpu_us();
    const double start = clock.wall_us();
    run_block(runnable, block_runs_);
    wall = clock.wall_us();
    run_cpu_us_.push_back((clock.cpu_us() - start_cpu) / runs);
    run_us_.push_back((wall - start) / runs);
    minimum = std::min(minimum, run_us_.back());
    runs_ += block_runs_;
  } while (wall < end);
  visit_min_us_.push_back(minimum);
}

v1::Latency Series::latency() const {
  v1::Latency latency;
  latency.set_min_us(minimum_of(run_us_, 0, 1));
  latency.set_p50_us(quantile(run_us_, 0.5));
  latency.set_p95_us(quantile(run_us_, 0.95));
  latency.set_iqr_us(quantile(run_us_, 0.75) - quantile(run_us_, 0.25));
  latency.set_cpu_us(quantile(run_cpu_us_, 0.5));
  latency.set_visits(visits());
  latency.set_runs(runs_);
  latency.set_even_min_us(minimum_of(visit_min_us_, 0, 2));
  latency.set_odd_min_us(minimum_of(visit_min_us_, 1, 2));
  return latency;
}

}  // namespace adamec::measure
