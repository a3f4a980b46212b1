#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "adamec/machine/clock.h"
#include "adamec/machine/context_control.h"
#include "adamec/measure/runnable.h"
#include "adamec/measure/series.h"

namespace adamec::measure {

inline constexpr unsigned kFewestVisits = 4;
inline constexpr unsigned kMostVisits = 64;

// One runnable and the contexts to measure it in.
struct Job {
  Runnable* runnable = nullptr;
  std::vector<std::size_t> contexts;  // indices into the contexts of the round
  // Visits made before, by index of the context: as many fewer are made now.
  std::multimap<std::size_t, v1::Visit> earlier;
  std::map<std::size_t, std::uint64_t> block_runs;  // by context, where it was found before
};

struct RoundOptions {
  unsigned visits = kFewestVisits;  // of every job in each of its contexts
  std::uint64_t seed = 0;
};

struct JobResult {
  std::vector<Series> series;  // one per context of the round; empty where not asked for
  std::string failure;         // what the runnable threw; empty: all is well
};

struct RoundResult {
  std::vector<JobResult> jobs;
  std::vector<v1::Reading> readings;  // per context, over all visits
  unsigned passes = 0;                // through all jobs
};

struct RoundEvents {
  std::function<void(std::size_t job, std::size_t context, const v1::Visit&)> on_visit;
  std::function<void(std::size_t context, const v1::Reading&)> on_reading;
};

// Measures a round: jobs and contexts interleaved in time, so that all of them see the same moods
// of the machine and measurements of one job in two contexts can be compared. One pass goes through
// the contexts in random order and, in each, visits the jobs in random order; the order follows
// from the seed. A job that fails is not visited again.
[[nodiscard]] RoundResult measure_round(std::span<const Job> jobs,
                                        std::span<const v1::Context> contexts,
                                        machine::ContextControl& control,
                                        const machine::Clock& clock, const RoundOptions& options,
                                        const RoundEvents& events);

// A permutation of 0 .. count-1 that depends on nothing but the seed and the stream.
[[nodiscard]] std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed,
                                                std::uint64_t stream);

}  // namespace adamec::measure
