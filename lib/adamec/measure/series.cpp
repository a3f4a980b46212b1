#include "adamec/measure/series.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

namespace adamec::measure {
namespace {

constexpr double kLoadedBlockUs = 10e3;
constexpr double kLoadedVisitUs = 30e3;
constexpr double kQuotaBlockUs = 40e3;
constexpr double kQuotaVisitUs = 80e3;
constexpr double kBlockMargin = 1.1;  // calibrated blocks come out a little too long
// Low, as the core's other hardware thread and interrupts only ever add; not the least of all, as
// the speed read beside a block may be that of another moment.
constexpr double kSteadyShare = 0.1;
constexpr double kLargestGrowth = 100.0;  // between two tries at a block length

void run_block(Runnable& runnable, std::uint64_t runs) {
  for (std::uint64_t i = 0; i < runs; ++i) runnable.run();
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double least_of(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

void append(const std::vector<double>& more, std::vector<double>& values) {
  values.insert(values.end(), more.begin(), more.end());
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
  assert(!values.empty() && share >= 0 && share <= 1);
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double weight = position - static_cast<double>(below);
  return values[below] + weight * (values[above] - values[below]);
}

Series::TimedBlock Series::time_block(Runnable& runnable, const machine::Clock& clock,
                                      std::uint64_t runs) {
  const double start_cpu = clock.cpu_us();
  const double start = clock.wall_us();
  run_block(runnable, runs);
  const double wall = clock.wall_us() - start;
  return {wall, clock.cpu_us() - start_cpu};
}

// Returns the first block that was long enough: it is as good as those that follow.
Series::TimedBlock Series::calibrate(Runnable& runnable, const machine::Clock& clock,
                                     const VisitOptions& options) {
  for (block_runs_ = 1;;) {
    const TimedBlock block = time_block(runnable, clock, block_runs_);
    if (block.wall_us >= options.block_us) return block;
    const double wanted = kBlockMargin * options.block_us / std::max(block.wall_us, 1e-3);
    const double growth = std::clamp(wanted, kBlockMargin, kLargestGrowth);
    block_runs_ = std::max(block_runs_ + 1,
                           static_cast<std::uint64_t>(static_cast<double>(block_runs_) * growth));
  }
}

v1::Visit Series::visit(Runnable& runnable, const machine::Clock& clock,
                        const VisitOptions& options) {
  v1::Visit visit;
  if (!warm_) {
    run_block(runnable, options.warm_ups);
    warm_ = true;
  } else if (minimum(0, 1) < options.always_cold_us) {
    const double start = clock.wall_us();
    runnable.run();
    visit.set_first_us(clock.wall_us() - start);
  }
  const double end = clock.wall_us() + options.visit_us;
  std::vector<double> steps;
  double speed = clock.core_speed();
  do {
    const double before = speed;
    const TimedBlock block = block_runs_ == 0 ? calibrate(runnable, clock, options)
                                              : time_block(runnable, clock, block_runs_);
    const double runs = static_cast<double>(block_runs_);
    speed = clock.core_speed();
    visit.add_core_speed(std::max(before, speed));  // what interrupts a reading makes it lower
    visit.add_run_us(block.wall_us / runs);
    visit.add_run_cpu_us(block.cpu_us / runs);
    take_least(runnable.step_us(), steps);
  } while (clock.wall_us() < end);
  visit.set_block_runs(block_runs_);
  visit.mutable_step_us()->Add(steps.begin(), steps.end());
  add(visit);
  return visit;
}

void Series::add(const v1::Visit& visit) {
  if (visit.run_us().empty()) return;
  VisitTimes& times = visits_.emplace_back();
  times.run_us.assign(visit.run_us().begin(), visit.run_us().end());
  times.run_cpu_us.assign(visit.run_cpu_us().begin(), visit.run_cpu_us().end());
  times.core_speed.assign(visit.core_speed().begin(), visit.core_speed().end());
  times.core_speed.resize(times.run_us.size(), 0);
  runs_ += visit.block_runs() * static_cast<std::uint64_t>(visit.run_us_size());
  take_first(visit.first_us());
  take_least({visit.step_us().data(), static_cast<std::size_t>(visit.step_us_size())}, step_us_);
}

void Series::merge(const Series& other) {
  visits_.insert(visits_.end(), other.visits_.begin(), other.visits_.end());
  runs_ += other.runs_;
  if (other.block_runs_ > 0) block_runs_ = other.block_runs_;
  take_first(other.first_us_);
  take_least(other.step_us_, step_us_);
}

void Series::take_first(double us) {
  if (us > 0 && (first_us_ == 0 || us < first_us_)) first_us_ = us;
}

double Series::VisitTimes::mean_steps() const {
  double sum = 0;
  for (std::size_t block = 0; block < run_us.size(); ++block) {
    sum += run_us[block] * (core_speed[block] > 0 ? core_speed[block] : 1);
  }
  return sum / static_cast<double>(run_us.size());
}

double Series::minimum(std::size_t first, std::size_t step) const {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = first; i < visits_.size(); i += step) {
    least = std::min(least, least_of(visits_[i].run_us));
  }
  return std::isfinite(least) ? least : 0;
}

double Series::mean(std::size_t first, std::size_t step) const {
  std::vector<double> means;
  for (std::size_t i = first; i < visits_.size(); i += step) {
    means.push_back(mean_of(visits_[i].run_us));
  }
  return means.empty() ? 0 : mean_of(means);
}

double Series::steady_steps(std::size_t first, std::size_t step) const {
  std::vector<double> steps;
  for (std::size_t i = first; i < visits_.size(); i += step) {
    const VisitTimes& visit = visits_[i];
    for (std::size_t block = 0; block < visit.run_us.size(); ++block) {
      if (!(visit.core_speed[block] > 0)) return 0;
      steps.push_back(visit.run_us[block] * visit.core_speed[block]);
    }
  }
  return steps.empty() ? 0 : quantile(std::move(steps), kSteadyShare);
}

double Series::steady_steps() const {
  if (visits_.empty()) return std::numeric_limits<double>::infinity();
  const double steps = steady_steps(0, 1);
  return steps > 0 ? steps : minimum(0, 1);
}

double Series::relative_error() const {
  if (visits_.size() < 2) return std::numeric_limits<double>::infinity();
  std::vector<double> means;
  for (const VisitTimes& visit : visits_) means.push_back(visit.mean_steps());
  const double mean = mean_of(means);
  const double squares = std::accumulate(
      means.begin(), means.end(), 0.0,
      [mean](double sum, double steps) { return sum + (steps - mean) * (steps - mean); });
  const auto count = static_cast<double>(means.size());
  return std::sqrt(squares / (count - 1) / count) / mean;
}

v1::Latency Series::latency() const {
  assert(!visits_.empty());
  std::vector<double> run_us;
  std::vector<double> run_cpu_us;
  std::vector<double> speeds;
  for (const VisitTimes& visit : visits_) {
    append(visit.run_us, run_us);
    append(visit.run_cpu_us, run_cpu_us);
    append(visit.core_speed, speeds);
  }
  v1::Latency latency;
  latency.set_min_us(minimum(0, 1));
  latency.set_p50_us(quantile(run_us, 0.5));
  latency.set_p95_us(quantile(run_us, 0.95));
  latency.set_iqr_us(quantile(run_us, 0.75) - quantile(run_us, 0.25));
  latency.set_cpu_us(quantile(run_cpu_us, 0.5));
  latency.set_visits(visits());
  latency.set_runs(runs_);
  latency.set_even_min_us(minimum(0, 2));
  latency.set_odd_min_us(minimum(1, 2));
  latency.set_first_us(first_us_);
  latency.set_mean_us(mean(0, 1));
  latency.set_even_mean_us(mean(0, 2));
  latency.set_odd_mean_us(mean(1, 2));
  if (const double steps = steady_steps(0, 1); steps > 0) {
    const double speed = quantile(std::move(speeds), 0.5);
    latency.set_core_speed(speed);
    latency.set_steady_us(steps / speed);
    latency.set_even_steady_us(steady_steps(0, 2) / speed);
    latency.set_odd_steady_us(steady_steps(1, 2) / speed);
  }
  return latency;
}

}  // namespace adamec::measure
