#include "adamec/measure/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/machine/heap.h"
#include "adamec/measure/contexts.h"
#include "adamec/measure/expected_time.h"
#include "adamec/measure/sweep_times.h"

namespace adamec::measure {
namespace {

std::string backend_of(const v1::Sample& sample, const v1::Context& context) {
  if (sample.operators().empty()) return "";
  const v1::Operator& principal = sample.operators(0);
  return context.threads() == 1 ? principal.backend_one_thread() : principal.backend_many_threads();
}

class Campaign {
 public:
  Campaign(std::span<const CampaignItem> items, std::span<const v1::Context> contexts,
           const Loader& load, machine::ContextControl& control, const machine::Clock& clock,
           const CampaignOptions& options, const CampaignEvents& events)
      : items_(items),
        contexts_(contexts),
        load_(load),
        control_(control),
        clock_(clock),
        options_(options),
        events_(events),
        start_us_(clock.wall_us()),
        samples_(items.size()) {
    for (const CampaignItem& item : items) {
      progress_.all_us += measure::expected_us(item, contexts, options.visits);
      chosen_.push_back(item.contexts);
      found_.emplace_back(contexts.size());
    }
    for (const v1::Context& context : contexts) {
      const std::string key = measurement_key("", uncontended(context));
      const auto partner =
          std::find_if(contexts.begin(), contexts.end(),
                       [&](const v1::Context& other) { return measurement_key("", other) == key; });
      partners_.push_back(static_cast<std::size_t>(partner - contexts.begin()));
    }
  }

  CampaignResult run() {
    waiting_ = make_order();
    sweep();
    result_.left_out = waiting_.size();
    while (choose_again() && sweep()) {
    }
    result_.samples = samples();
    return std::move(result_);
  }

 private:
  using Round = std::vector<std::size_t>;  // indices of items

  double left_us() const {
    if (options_.budget_us <= 0) return std::numeric_limits<double>::infinity();
    return options_.budget_us - (clock_.wall_us() - start_us_);
  }

  // Measures what waits, in rounds. Returns whether there was time for any.
  bool sweep() {
    bool any = false;
    for (Round round = take_round(); !round.empty(); round = take_round()) {
      run_round(round);
      if (events_.on_round) events_.on_round(samples());
      any = true;
    }
    ++sweep_;
    return any;
  }

  bool unsettled(std::size_t item, std::size_t context) const {
    const bool whole = items_[item].plan->sample.parts_size() > 1;
    const unsigned most = most_visits(options_.visits, whole, contexts_[context]);
    const SweepTimes& found = found_[item][context];
    return !found.settled(contexts_[context]) && found.series.visits() < most;
  }

  // What a further sweep is to visit: what has not settled (with a contended context, the one it is
  // compared with), then, while there is a budget, anything. Returns whether there is something.
  bool choose_again() {
    choose([this](std::size_t item, std::size_t context) {
      const std::vector<std::size_t>& all = items_[item].contexts;
      return std::any_of(all.begin(), all.end(), [&](std::size_t other) {
        return (other == context || partners_[other] == context) && unsettled(item, other);
      });
    });
    if (waiting_.empty() && options_.budget_us > 0) {
      choose([this](std::size_t item, std::size_t context) {
        return found_[item][context].series.visits() < kMostVisits;
      });
    }
    progress_.all_us = done_us_;
    for (std::size_t item : waiting_) progress_.all_us += guess_us(item);
    return !waiting_.empty();
  }

  template <typename Condition>
  void choose(Condition again) {
    waiting_.clear();
    for (std::size_t item : shuffled(items_.size(), options_.seed, sweep_)) {
      chosen_[item].clear();
      if (samples_[item].empty() || failed_.count(item) > 0) continue;
      for (std::size_t context : items_[item].contexts) {
        if (again(item, context)) chosen_[item].push_back(context);
      }
      if (!chosen_[item].empty()) waiting_.push_back(item);
    }
  }

  std::vector<std::size_t> make_order() const {
    std::vector<std::size_t> order = options_.order;
    if (order.empty()) {
      order = shuffled(items_.size(), options_.seed, std::numeric_limits<std::uint64_t>::max());
    }
    std::stable_partition(order.begin(), order.end(),
                          [this](std::size_t item) { return !items_[item].earlier.empty(); });
    return order;
  }

  double guess_us(std::size_t item) const {
    return sweep_us(items_[item].plan->sample, contexts_, chosen_[item], visits());
  }

  unsigned visits() const { return visits_of_sweep(options_.visits, sweep_); }

  // What an item takes, judged by what the items so far took in comparison to the guess.
  double expected_us(std::size_t item) const {
    const double factor = guessed_us_ > 0 ? spent_us_ / guessed_us_ : 1;
    return guess_us(item) * std::clamp(factor, 0.1, 10.0);
  }

  // The next items that fit into memory and the time left; the very first whether it fits or not.
  Round take_round() {
    Round round;
    std::vector<std::size_t> left_waiting;
    std::uint64_t bytes = 0;
    double expected = 0;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const std::size_t item = waiting_[i];
      const std::uint64_t item_bytes = items_[item].plan->working_bytes;
      const bool first = rounds_ == 0 && round.empty();
      const bool full = round.size() >= options_.round_items ||
                        (!round.empty() && bytes + item_bytes > options_.round_bytes);
      if (full || (!first && expected + expected_us(item) > left_us())) {
        left_waiting.push_back(item);
        continue;
      }
      bytes += item_bytes;
      expected += expected_us(item);
      round.push_back(item);
    }
    waiting_ = std::move(left_waiting);
    return round;
  }

  void run_round(const Round& round) {
    const double started_us = clock_.wall_us();
    double round_us = 0;
    for (std::size_t item : round) round_us += guess_us(item);
    ++rounds_;
    Round loaded;
    std::vector<std::unique_ptr<Runnable>> runnables;
    std::vector<Job> jobs;
    for (std::size_t item : round) {
      try {
        runnables.push_back(load_(*items_[item].plan));
      } catch (const Error& error) {
        report_failure(item, error.what());
        continue;
      }
      loaded.push_back(item);
      jobs.push_back({runnables.back().get(), chosen_[item], {}, {}});
      for (const std::size_t context : chosen_[item]) {
        jobs.back().block_runs[context] = found_[item][context].series.block_runs();
      }
      if (sweep_ == 0) jobs.back().earlier = items_[item].earlier;
    }
    const machine::TidyHeap tidy_heap;
    RoundOptions options;
    options.visits = visits();
    options.seed = options_.seed + rounds_;
    RoundResult measured =
        measure_round(jobs, contexts_, control_, clock_, options, round_events(loaded, round_us));
    if (rounds_ == 1) {  // what was visited earlier is in this round
      for (const auto& [context, reading] : options_.earlier_readings) {
        machine::add_reading(measured.readings[context], reading);
      }
    }
    for (std::size_t i = 0; i < loaded.size(); ++i) keep(loaded[i], measured, i);
    progress_.done_us = done_us_ += round_us;
    spent_us_ += clock_.wall_us() - started_us;
    guessed_us_ += round_us;
  }

  RoundEvents round_events(const Round& loaded, double round_us) {
    RoundEvents events;
    std::size_t planned = 0;
    for (std::size_t item : loaded) planned += chosen_[item].size() * visits();
    const double visit_us = planned > 0 ? round_us / static_cast<double>(planned) : 0;
    events.on_visit = [this, &loaded, visit_us, round_us](std::size_t job, std::size_t context,
                                                          const v1::Visit& visit) {
      if (events_.on_visit) {
        v1::Visit record = visit;
        record.set_signature(items_[loaded[job]].plan->signature());
        *record.mutable_context() = contexts_[context];
        events_.on_visit(record);
      }
      progress_.done_us = std::min(progress_.done_us + visit_us, done_us_ + round_us);
      if (events_.on_progress) events_.on_progress(progress());
    };
    events.on_reading = [this](std::size_t context, const v1::Reading& reading) {
      if (!events_.on_reading) return;
      v1::Reading record = reading;
      *record.mutable_context() = contexts_[context];
      events_.on_reading(record);
    };
    return events;
  }

  // With a budget, that is what will be used.
  CampaignProgress progress() const {
    if (options_.budget_us <= 0) return progress_;
    return {clock_.wall_us() - start_us_, options_.budget_us};
  }

  void keep(std::size_t item, const RoundResult& measured, std::size_t job) {
    const JobResult& result = measured.jobs[job];
    if (!result.failure.empty()) {
      report_failure(item, result.failure);
      return;
    }
    if (sweep_ == 0) add_samples(item, measured);
    for (std::size_t context : chosen_[item]) {
      SweepTimes& found = found_[item][context];
      found.series.merge(result.series[context]);
      found.steady.push_back(result.series[context].steady_steps());
    }
    for (std::size_t i = 0; i < samples_[item].size(); ++i) {
      const Series& series = found_[item][items_[item].contexts[i]].series;
      v1::Sample& sample = samples_[item][i];
      *sample.mutable_latency() = series.latency();
      sample.mutable_part_us()->Assign(series.step_us().begin(), series.step_us().end());
    }
  }

  // One per context, all but the times.
  void add_samples(std::size_t item, const RoundResult& measured) {
    ++result_.measured;
    for (std::size_t context : items_[item].contexts) {
      v1::Sample& sample = samples_[item].emplace_back(items_[item].plan->sample);
      sample.set_host_id(options_.host_id);
      *sample.mutable_context() = contexts_[context];
      *sample.mutable_observed() =
          machine::observed_context(contexts_[context], measured.readings[context]);
      sample.set_backend(backend_of(sample, contexts_[context]));
      sample.set_round(fmt::format("{}-{}", options_.run_id, rounds_));
    }
  }

  // What was measured of it before stays; it is not visited again.
  void report_failure(std::size_t item, const std::string& reason) {
    failed_.insert(item);
    result_.failures.push_back({items_[item].plan, reason, 0});
  }

  std::vector<v1::Sample> samples() const {
    std::vector<v1::Sample> all;
    for (const auto& of_item : samples_) all.insert(all.end(), of_item.begin(), of_item.end());
    return all;
  }

  std::span<const CampaignItem> items_;
  std::span<const v1::Context> contexts_;
  const Loader& load_;
  machine::ContextControl& control_;
  const machine::Clock& clock_;
  const CampaignOptions& options_;
  const CampaignEvents& events_;
  const double start_us_;
  std::vector<std::size_t> partners_;  // by context: which one it is compared with
  unsigned sweep_ = 0;
  std::vector<std::size_t> waiting_;              // items in the order to measure them
  std::vector<std::vector<std::size_t>> chosen_;  // by item: contexts of this sweep
  std::vector<std::vector<SweepTimes>> found_;    // by item and context
  std::set<std::size_t> failed_;                  // items
  unsigned rounds_ = 0;
  double spent_us_ = 0;    // on rounds so far
  double guessed_us_ = 0;  // for the same
  double done_us_ = 0;
  CampaignProgress progress_;
  std::vector<std::vector<v1::Sample>> samples_;  // by item
  CampaignResult result_;
};

}  // namespace

CampaignResult run_campaign(std::span<const CampaignItem> items,
                            std::span<const v1::Context> contexts, const Loader& load,
                            machine::ContextControl& control, const machine::Clock& clock,
                            const CampaignOptions& options, const CampaignEvents& events) {
  return Campaign(items, contexts, load, control, clock, options, events).run();
}

}  // namespace adamec::measure
