#pragma once

#include <cstdint>
#include <vector>

#include "adamec/measure/clock.h"
#include "adamec/measure/runnable.h"
#include "adamec/v1/journal.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

// The timing protocol of one visit. On shared machines one visit of 15 ms repeats within 10 % only
// 41 % of the time; the minimum over four visits, spread in time, 93 to 100 %.
struct VisitOptions {
  unsigned warm_ups = 3;   // before the first visit; TorchScript compiles in the first two runs
  double block_us = 200;   // runs are timed in blocks of at least this long
  double visit_us = 10e3;  // blocks are timed until this much time has passed
};

// Under load, blocks span several periods of the load generator, so that the time per run is what
// an atom adds to a model's latency there: a short block either misses the bursts or hits one. The
// same with a CPU quota, which is taken away in turns.
VisitOptions visit_options(const v1::Context& context);

// The value below which `share` (0..1) of the values lie, interpolated linearly between order
// statistics. `values` must not be empty; they need not be sorted.
double quantile(std::vector<double> values, double share);

// All measurements of one runnable in one context.
class Series {
 public:
  // Warms up, finds the block length on the first visit, then times blocks. Returns what it added
  // (signature and context are the caller's). What the runnable throws passes through.
  v1::Visit visit(Runnable& runnable, const Clock& clock, const VisitOptions& options);
  // Adds a visit made earlier, perhaps by another process.
  void add(const v1::Visit& visit);
  // Adds what another series of the same runnable and context measured.
  void merge(const Series& other);

  unsigned visits() const { return static_cast<unsigned>(visit_min_us_.size()); }
  // Statistics over blocks. At least one visit must have been made.
  v1::Latency latency() const;
  double least_us() const;  // infinite before the first visit
  // Standard error of the mean over visits, relative to it; infinite before the second visit.
  double relative_error() const;
  // Of each step, the least time over all blocks; empty where the runnable has no steps.
  const std::vector<double>& step_us() const { return step_us_; }

 private:
  void calibrate(Runnable& runnable, const Clock& clock, const VisitOptions& options);
  void take_first(double us);

  std::uint64_t block_runs_ = 0;  // 0: not calibrated yet
  std::uint64_t runs_ = 0;
  std::vector<double> run_us_;      // per block: wall time of a run
  std::vector<double> run_cpu_us_;  // per block: CPU time of a run
  std::vector<double> visit_min_us_;
  std::vector<double> visit_mean_us_;
  std::vector<double> step_us_;
  double first_us_ = 0;  // 0: never timed
};

}  // namespace adamec::measure
