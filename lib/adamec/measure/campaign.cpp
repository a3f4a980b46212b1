#include "adamec/measure/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "adamec/base/error.h"

namespace adamec::measure {
namespace {

// A guess that is right within a factor of a few on anything from a phone to a server; what was
// measured so far corrects it.
constexpr double kMacsPerUs = 10e3;
constexpr double kBytesPerUs = 5e3;
constexpr double kUsPerAtom = 5;
constexpr double kLoadBytesPerUs = 500;
constexpr double kWarmUps = 4;
// Times as many visits where the least time has not settled.
constexpr unsigned kUntilSettled = 4;

double guessed_run_us(const v1::Sample& sample) {
  const double bytes =
      static_cast<double>(sample.bytes_in() + sample.bytes_out() + sample.weight_bytes());
  return static_cast<double>(sample.macs()) / kMacsPerUs + bytes / kBytesPerUs +
         kUsPerAtom * std::max(1, sample.parts_size());
}

double visit_us(double run_us, const v1::Context& context) {
  double available = std::max(0.1, 1 - context.cpu_load());
  if (context.cpu_quota() > 0) available *= context.cpu_quota();
  return run_us / available + std::max(run_us / available, visit_options(context).visit_us);
}

std::string backend_of(const v1::Sample& sample, const v1::Context& context) {
  if (sample.operators().empty()) return "";
  const v1::Operator& principal = sample.operators(0);
  return context.threads() == 1 ? principal.backend_one_thread() : principal.backend_many_threads();
}

class Campaign {
 public:
  Campaign(std::span<const CampaignItem> items, std::span<const v1::Context> contexts,
           const Loader& load, Stage& stage, const Clock& clock, const CampaignOptions& options,
           const CampaignEvents& events)
      : items_(items),
        contexts_(contexts),
        load_(load),
        stage_(stage),
        clock_(clock),
        options_(options),
        events_(events),
        start_us_(clock.wall_us()),
        waiting_(make_order()),
        samples_(items.size()) {
    for (std::size_t item = 0; item < items.size(); ++item) {
      progress_.all_us += guess_us(item);
    }
  }

  CampaignResult run() {
    for (Round round = take_round(); !round.empty(); round = take_round()) {
      run_round(round);
      if (events_.on_round) events_.on_round(samples());
    }
    result_.left_out = waiting_.size();
    result_.samples = samples();
    return std::move(result_);
  }

 private:
  using Round = std::vector<std::size_t>;  // indices of items

  double left_us() const {
    if (options_.budget_us <= 0) return std::numeric_limits<double>::infinity();
    return options_.budget_us - (clock_.wall_us() - start_us_);
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
    return measure::expected_us(items_[item], contexts_, options_.visits);
  }

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

  // Until when this round may go on so that the time left is spread over the items left.
  double extra_until_us(const Round& round, double started_us, double left_us) const {
    if (options_.budget_us <= 0) return 0;
    double mine = 0;
    double all = 0;
    for (std::size_t item : round) mine += expected_us(item);
    for (std::size_t item : waiting_) all += expected_us(item);
    return started_us + left_us * mine / (mine + all);
  }

  void run_round(const Round& round) {
    const double started_us = clock_.wall_us();
    const double left = left_us();
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
        result_.failures.push_back({items_[item].plan, error.what(), 0});
        continue;
      }
      loaded.push_back(item);
      jobs.push_back({runnables.back().get(), items_[item].contexts, items_[item].earlier});
    }
    RoundOptions options;
    options.visits = options_.visits;
    options.most_visits = std::min(kMostVisits, kUntilSettled * options_.visits);
    options.seed = options_.seed + rounds_;
    options.extra_until_us = extra_until_us(round, started_us, left);
    RoundResult measured =
        measure_round(jobs, contexts_, stage_, clock_, options, round_events(loaded, round_us));
    if (rounds_ == 1) {  // what was visited earlier is in this round
      for (const auto& [context, reading] : options_.earlier_readings) {
        add_reading(measured.readings[context], reading);
      }
    }
    for (std::size_t i = 0; i < loaded.size(); ++i) keep(loaded[i], measured, i);
    progress_.done_us = done_us_ += round_us;
    // Visits added because there was time say nothing about those to come.
    const double share =
        static_cast<double>(options_.visits) / std::max({measured.passes, options_.visits, 1U});
    spent_us_ += (clock_.wall_us() - started_us) * share;
    guessed_us_ += round_us;
  }

  RoundEvents round_events(const Round& loaded, double round_us) {
    RoundEvents events;
    std::size_t planned = 0;
    for (std::size_t item : loaded) planned += items_[item].contexts.size() * options_.visits;
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
      result_.failures.push_back({items_[item].plan, result.failure, 0});
      return;
    }
    ++result_.measured;
    for (std::size_t context : items_[item].contexts) {
      const Series& series = result.series[context];
      v1::Sample& sample = samples_[item].emplace_back(items_[item].plan->sample);
      sample.set_host_id(options_.host_id);
      *sample.mutable_context() = contexts_[context];
      *sample.mutable_observed() = observed_context(contexts_[context], measured.readings[context]);
      *sample.mutable_latency() = series.latency();
      sample.mutable_part_us()->Add(series.step_us().begin(), series.step_us().end());
      sample.set_backend(backend_of(sample, contexts_[context]));
      sample.set_round(fmt::format("{}-{}", options_.run_id, rounds_));
    }
  }

  std::vector<v1::Sample> samples() const {
    std::vector<v1::Sample> all;
    for (const auto& of_item : samples_) all.insert(all.end(), of_item.begin(), of_item.end());
    return all;
  }

  std::span<const CampaignItem> items_;
  std::span<const v1::Context> contexts_;
  const Loader& load_;
  Stage& stage_;
  const Clock& clock_;
  const CampaignOptions& options_;
  const CampaignEvents& events_;
  const double start_us_;
  std::vector<std::size_t> waiting_;  // items in the order to measure them
  unsigned rounds_ = 0;
  double spent_us_ = 0;    // on rounds so far, for their fewest visits
  double guessed_us_ = 0;  // for the same
  double done_us_ = 0;
  CampaignProgress progress_;
  std::vector<std::vector<v1::Sample>> samples_;  // by item
  CampaignResult result_;
};

}  // namespace

CampaignResult run_campaign(std::span<const CampaignItem> items,
                            std::span<const v1::Context> contexts, const Loader& load, Stage& stage,
                            const Clock& clock, const CampaignOptions& options,
                            const CampaignEvents& events) {
  return Campaign(items, contexts, load, stage, clock, options, events).run();
}

double expected_us(const CampaignItem& item, std::span<const v1::Context> contexts,
                   unsigned visits) {
  const v1::Sample& sample = item.plan->sample;
  const double run_us = guessed_run_us(sample);
  double us = static_cast<double>(sample.weight_bytes()) / kLoadBytesPerUs;
  for (std::size_t context : item.contexts) {
    us += kWarmUps * run_us + visits * visit_us(run_us, contexts[context]);
  }
  return us;
}

}  // namespace adamec::measure
