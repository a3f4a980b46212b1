#pragma once

#include <cstdint>
#include <vector>

#include "adamec/machine/clock.h"
#include "adamec/measure/runnable.h"
#include "adamec/v1/journal.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

// The timing protocol of one visit. On shared machines one visit of 15 ms repeats within 10 % only
// 41 % of the time; the minimum over four visits, spread in time, 93 to 100 % while the frequency
// stays. Where it moves, two runs of 16 visits each agreed within 5 % for 38 % of 263 atoms, blocks
// and models by their minima, for 90 % by the steady time (Latency.steady_us).
struct VisitOptions {
  unsigned warm_ups = 2;   // before the first visit: TorchScript compiles in the first two runs
  double block_us = 200;   // runs are timed in blocks of at least this long
  double visit_us = 10e3;  // blocks are timed until this much time has passed
  // Before each further visit, a run brings weights and activations back into the caches; not where
  // runs take as long as this, of which finding them cold is less than a hundredth.
  double always_cold_us = 40e3;
};

// Under load, blocks span several periods of the load generator, so that the time per run is what
// an atom adds to a model's latency there: a short block either misses the bursts or hits one. The
// same with a CPU quota, which is taken away in turns.
[[nodiscard]] VisitOptions visit_options(const v1::Context& context);

// The value below which `share` (0..1) of the values lie, interpolated linearly between order
// statistics. `values` must not be empty; they need not be sorted.
[[nodiscard]] double quantile(std::vector<double> values, double share);

// All measurements of one runnable in one context.
class Series {
 public:
  Series() = default;
  // `block_runs`: as another series of the same runnable and context found it, 0 if none did.
  explicit Series(std::uint64_t block_runs) : block_runs_(block_runs) {}

  // Warms up and finds the block length on the first visit, then times blocks. Returns what it
  // added (signature and context are the caller's). What the runnable throws passes through.
  v1::Visit visit(Runnable& runnable, const machine::Clock& clock, const VisitOptions& options);
  // Adds a visit made earlier, perhaps by another process.
  void add(const v1::Visit& visit);
  // Adds what another series of the same runnable and context measured.
  void merge(const Series& other);

  [[nodiscard]] std::uint64_t block_runs() const { return block_runs_; }
  [[nodiscard]] unsigned visits() const { return static_cast<unsigned>(visits_.size()); }
  // Statistics over blocks. At least one visit must have been made.
  [[nodiscard]] v1::Latency latency() const;
  // The undisturbed time of a run in steps of the core (Clock::core_speed), which is alike at any
  // frequency; in us where the speed is not known. Infinite before the first visit.
  [[nodiscard]] double steady_steps() const;
  // Standard error of the mean over visits, relative to it, of times in steps as above; infinite
  // before the second visit.
  [[nodiscard]] double relative_error() const;
  // Of each step, the least time over all blocks; empty where the runnable has no steps.
  [[nodiscard]] const std::vector<double>& step_us() const { return step_us_; }

 private:
  // How long a block of so many runs takes.
  struct TimedBlock {
    double wall_us = 0;
    double cpu_us = 0;
  };

  // Per block of a visit.
  struct VisitTimes {
    std::vector<double> run_us;      // wall time of a run
    std::vector<double> run_cpu_us;  // CPU time of a run
    std::vector<double> core_speed;  // all 0 where it is not known

    double mean_steps() const;
  };

  [[nodiscard]] static TimedBlock time_block(Runnable& runnable, const machine::Clock& clock,
                                             std::uint64_t runs);
  [[nodiscard]] TimedBlock calibrate(Runnable& runnable, const machine::Clock& clock,
                                     const VisitOptions& options);
  void take_first(double us);
  // Over the blocks of every `step`-th visit from `first` on; what is not there is 0.
  [[nodiscard]] double minimum(std::size_t first, std::size_t step) const;
  [[nodiscard]] double mean(std::size_t first, std::size_t step) const;  // of the visits' means
  double steady_steps(std::size_t first, std::size_t step) const;

  bool warm_ = false;             // has run here
  std::uint64_t block_runs_ = 0;  // 0: not calibrated yet
  std::uint64_t runs_ = 0;
  std::vector<VisitTimes> visits_;
  std::vector<double> step_us_;
  double first_us_ = 0;  // 0: never timed
};

}  // namespace adamec::measure
