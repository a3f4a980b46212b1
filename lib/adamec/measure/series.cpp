#include "adamec/measure/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace adamec::measure {
namespace {

constexpr double kLoadedBlockUs = 10e3;
constexpr double kLoadedVisitUs = 30e3;
constexpr double kQuotaBlockUs = 40e3;
constexpr double kQuotaVisitUs = 80e3;
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

// Of the values from `first` on, every `step`-th.
double mean_of(const std::vector<double>& values, std::size_t first, std::size_t step) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = first; i < values.size(); i += step, ++count) sum += values[i];
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

void take_least(std::span<const double> times, std::vector<double>& least) {
  if (least.size() != times.size()) least.assign(times.begin(), times.end());
  for (std::size_t i = 0; i < times.size(); ++i) least[i] = std::min(least[i], times[i]);
}

}  // namespace

VisitOptions visit_options(const v1::Context& context) {
  VisitOptions options;
  if (context.cpu_quota() > 0) {
    options.block_us = kQuotaBlockUs;
    options.visit_us = kQuotaVisitUs;
  } else if (context.cpu_load() > 0) {
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

v1::Visit Series::visit(Runnable& runnable, const Clock& clock, const VisitOptions& options) {
  v1::Visit visit;
  if (block_runs_ == 0) {
    calibrate(runnable, clock, options);
  } else {  // brings its weights and activations back into the caches
    const double start = clock.wall_us();
    runnable.run();
    visit.set_first_us(clock.wall_us() - start);
  }
  visit.set_block_runs(block_runs_);
  const double end = clock.wall_us() + options.visit_us;
  const double runs = static_cast<double>(block_runs_);
  std::vector<double> steps;
  double wall = 0;
  do {
    const double start_cpu = clock.cpu_us();
    const double start = clock.wall_us();
    run_block(runnable, block_runs_);
    wall = clock.wall_us();
    visit.add_run_cpu_us((clock.cpu_us() - start_cpu) / runs);
    visit.add_run_us((wall - start) / runs);
    take_least(runnable.step_us(), steps);
  } while (wall < end);
  visit.mutable_step_us()->Add(steps.begin(), steps.end());
  add(visit);
  return visit;
}

void Series::add(const v1::Visit& visit) {
  if (visit.run_us().empty()) return;
  run_us_.insert(run_us_.end(), visit.run_us().begin(), visit.run_us().end());
  run_cpu_us_.insert(run_cpu_us_.end(), visit.run_cpu_us().begin(), visit.run_cpu_us().end());
  runs_ += visit.block_runs() * static_cast<std::uint64_t>(visit.run_us_size());
  visit_min_us_.push_back(*std::min_element(visit.run_us().begin(), visit.run_us().end()));
  visit_mean_us_.push_back(mean_of({visit.run_us().begin(), visit.run_us().end()}, 0, 1));
  take_first(visit.first_us());
  take_least({visit.step_us().data(), static_cast<std::size_t>(visit.step_us_size())}, step_us_);
}

void Series::merge(const Series& other) {
  const auto append = [](std::vector<double>& values, const std::vector<double>& more) {
    values.insert(values.end(), more.begin(), more.end());
  };
  append(run_us_, other.run_us_);
  append(run_cpu_us_, other.run_cpu_us_);
  append(visit_min_us_, other.visit_min_us_);
  append(visit_mean_us_, other.visit_mean_us_);
  runs_ += other.runs_;
  take_first(other.first_us_);
  take_least(other.step_us_, step_us_);
}

void Series::take_first(double us) {
  if (us > 0 && (first_us_ == 0 || us < first_us_)) first_us_ = us;
}

double Series::least_us() const {
  return visit_min_us_.empty() ? std::numeric_limits<double>::infinity()
                               : *std::min_element(visit_min_us_.begin(), visit_min_us_.end());
}

double Series::relative_error() const {
  const auto count = static_cast<double>(visit_mean_us_.size());
  if (count < 2) return std::numeric_limits<double>::infinity();
  const double mean = mean_of(visit_mean_us_, 0, 1);
  double squares = 0;
  for (const double us : visit_mean_us_) squares += (us - mean) * (us - mean);
  return std::sqrt(squares / (count - 1) / count) / mean;
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
  latency.set_first_us(first_us_);
  latency.set_mean_us(mean_of(visit_mean_us_, 0, 1));
  latency.set_even_mean_us(mean_of(visit_mean_us_, 0, 2));
  latency.set_odd_mean_us(mean_of(visit_mean_us_, 1, 2));
  return latency;
}

}  // namespace adamec::measure
