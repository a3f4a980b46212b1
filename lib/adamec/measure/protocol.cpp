#include "adamec/measure/protocol.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <random>
#include <utility>

#include "adamec/base/error.h"

namespace adamec::measure {
namespace {

class Round {
 public:
  Round(std::span<const Job> jobs, std::span<const v1::Context> contexts,
        machine::ContextControl& control, const machine::Clock& clock, const RoundEvents& events)
      : jobs_(jobs), contexts_(contexts), control_(control), clock_(clock), events_(events) {
    result_.readings.resize(contexts.size());
    result_.jobs.resize(jobs.size());
    for (std::size_t job = 0; job < jobs.size(); ++job) {
      result_.jobs[job].series.resize(contexts.size());
      for (const auto& [context, runs] : jobs[job].block_runs) {
        result_.jobs[job].series[context] = Series(runs);
      }
      for (const auto& [context, visit] : jobs[job].earlier) {
        result_.jobs[job].series[context].add(visit);
      }
    }
  }

  void pass(std::uint64_t seed) {
    const std::uint64_t streams = contexts_.size() + 1;
    const std::uint64_t first = result_.passes * streams;
    for (std::size_t context : shuffled(contexts_.size(), seed, first)) {
      visit_all(context, shuffled(jobs_.size(), seed, first + 1 + context));
    }
    ++result_.passes;
  }

  bool anything_left() const {
    for (std::size_t context = 0; context < contexts_.size(); ++context) {
      for (std::size_t job = 0; job < jobs_.size(); ++job) {
        if (wanted(job, context)) return true;
      }
    }
    return false;
  }

  RoundResult take() { return std::move(result_); }
  unsigned passes() const { return result_.passes; }

 private:
  bool wanted(std::size_t job, std::size_t context) const {
    const auto& contexts = jobs_[job].contexts;
    return result_.jobs[job].failure.empty() &&
           std::find(contexts.begin(), contexts.end(), context) != contexts.end();
  }

  // As many visits as passes, those made earlier included.
  bool due(std::size_t job, std::size_t context) const {
    return wanted(job, context) && result_.jobs[job].series[context].visits() <= result_.passes;
  }

  void visit_all(std::size_t context, std::vector<std::size_t> order) {
    std::erase_if(order, [&](std::size_t job) { return !due(job, context); });
    if (order.empty()) return;
    const VisitOptions options = visit_options(contexts_[context]);
    control_.enter(contexts_[context]);
    for (std::size_t job : order) visit(job, context, options);
    const v1::Reading reading = control_.leave();
    machine::add_reading(result_.readings[context], reading);
    if (events_.on_reading) events_.on_reading(context, reading);
  }

  void visit(std::size_t job, std::size_t context, const VisitOptions& options) {
    JobResult& result = result_.jobs[job];
    v1::Visit visit;
    try {
      visit = result.series[context].visit(*jobs_[job].runnable, clock_, options);
    } catch (const Error& error) {
      result.failure = error.what();
      return;
    }
    if (events_.on_visit) events_.on_visit(job, context, visit);
  }

  std::span<const Job> jobs_;
  std::span<const v1::Context> contexts_;
  machine::ContextControl& control_;
  const machine::Clock& clock_;
  const RoundEvents& events_;
  RoundResult result_;
};

}  // namespace

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed, std::uint64_t stream) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::seed_seq seeds{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
  std::mt19937_64 random(seeds);
  // std::shuffle differs between standard libraries
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

RoundResult measure_round(std::span<const Job> jobs, std::span<const v1::Context> contexts,
                          machine::ContextControl& control, const machine::Clock& clock,
                          const RoundOptions& options, const RoundEvents& events) {
  assert(std::all_of(jobs.begin(), jobs.end(), [&](const Job& job) {
    return job.runnable != nullptr &&
           std::all_of(job.contexts.begin(), job.contexts.end(),
                       [&](std::size_t context) { return context < contexts.size(); });
  }));
  Round round(jobs, contexts, control, clock, events);
  while (round.passes() < options.visits && round.anything_left()) round.pass(options.seed);
  return round.take();
}

}  // namespace adamec::measure
