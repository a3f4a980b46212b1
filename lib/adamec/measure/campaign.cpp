#include "adamec/measure/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "adamec/base/error.h"

namespace adamec::measure {
namespace {

constexpr double kUsualFactor = 1.25;  // of the time the visits take: loading, warming up

double least_us(const CampaignItem& item, std::span<const v1::Context> contexts, unsigned visits) {
  double us = 0;
  for (std::size_t context : item.contexts) {
    us += visits * visit_options(contexts[context].cpu_load()).visit_us;
  }
  return us;
}

std::string backend_of(const v1::Atom& atom, const v1::Context& context) {
  if (atom.operators().empty()) return "";
  const v1::Operator& principal = atom.operators(0);
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
        order_(shuffled(items.size(), options.seed, std::numeric_limits<std::uint64_t>::max())),
        samples_(items.size()) {}

  CampaignResult run() {
    while (next_ < order_.size() && (next_ == 0 || room_for(order_[next_]))) {
      run_round(take_round());
      if (events_.on_round) events_.on_round(samples());
    }
    result_.left_out = order_.size() - next_;
    result_.samples = samples();
    return std::move(result_);
  }

 private:
  using Round = std::vector<std::size_t>;  // indices of items

  double left_us() const {
    if (options_.budget_us <= 0) return std::numeric_limits<double>::infinity();
    return options_.budget_us - (clock_.wall_us() - start_us_);
  }

  // What an item takes, judged by what the items so far took in comparison to the least.
  double expected_us(std::size_t item) const {
    const double factor =
        planned_us_ > 0 ? (clock_.wall_us() - start_us_) / planned_us_ : kUsualFactor;
    return least_us(items_[item], contexts_, options_.visits) * std::max(1.0, factor);
  }

  bool room_for(std::size_t item) const { return expected_us(item) <= left_us(); }

  Round take_round() {
    Round round;
    std::uint64_t bytes = 0;
    double expected = 0;
    while (next_ < order_.size() && round.size() < options_.round_items) {
      const std::size_t item = order_[next_];
      bytes += items_[item].plan->working_bytes;
      expected += expected_us(item);
      if (!round.empty() && (bytes > options_.round_bytes || expected > left_us())) break;
      round.push_back(item);
      ++next_;
    }
    return round;
  }

  // Until when this round may go on so that the time left is spread over the items left.
  double extra_until_us(const Round& round, double started_us, double left_us) const {
    if (options_.budget_us <= 0) return 0;
    double mine = 0;
    double all = 0;
    for (std::size_t item : round) mine += expected_us(item);
    for (std::size_t i = next_; i < order_.size(); ++i) all += expected_us(order_[i]);
    return started_us + left_us * mine / (mine + all);
  }

  void run_round(const Round& round) {
    const double started_us = clock_.wall_us();
    const double left = left_us();
    ++rounds_;
    Round loaded;
    std::vector<std::unique_ptr<Runnable>> runnables;
    std::vector<Job> jobs;
    for (std::size_t item : round) {
      try {
        runnables.push_back(load_(*items_[item].plan));
      } catch (const Error& error) {
        result_.failures.push_back({items_[item].plan, error.what()});
        continue;
      }
      loaded.push_back(item);
      jobs.push_back({runnables.back().get(), items_[item].contexts});
    }
    RoundOptions options;
    options.visits = options_.visits;
    options.seed = options_.seed + rounds_;
    options.extra_until_us = extra_until_us(round, started_us, left);
    const RoundResult measured = measure_round(jobs, contexts_, stage_, clock_, options, [this] {
      if (events_.on_visit) events_.on_visit();
    });
    for (std::size_t i = 0; i < loaded.size(); ++i) keep(loaded[i], measured, i);
    for (std::size_t item : round) {
      planned_us_ += least_us(items_[item], contexts_, std::max(measured.passes, 1U));
    }
  }

  void keep(std::size_t item, const RoundResult& measured, std::size_t job) {
    const JobResult& result = measured.jobs[job];
    if (!result.failure.empty()) {
      result_.failures.push_back({items_[item].plan, result.failure});
      return;
    }
    ++result_.measured;
    const v1::Sample common = describe_sample(*items_[item].plan, *items_[item].manifest);
    for (std::size_t context : items_[item].contexts) {
      v1::Sample& sample = samples_[item].emplace_back(common);
      sample.set_host_id(options_.host_id);
      *sample.mutable_context() = contexts_[context];
      *sample.mutable_observed() = contexts_[context];
      sample.mutable_observed()->set_cpu_load(measured.loads[context].share());
      *sample.mutable_latency() = result.series[context].latency();
      sample.set_backend(backend_of(*items_[item].plan->atom, contexts_[context]));
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
  const std::vector<std::size_t> order_;
  std::size_t next_ = 0;  // into order_
  unsigned rounds_ = 0;
  double planned_us_ = 0;                         // least time of what was measured
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

std::size_t planned_visits(std::span<const CampaignItem> items, const CampaignOptions& options) {
  std::size_t visits = 0;
  for (const CampaignItem& item : items) visits += item.contexts.size() * options.visits;
  return visits;
}

double planned_us(std::span<const CampaignItem> items, std::span<const v1::Context> contexts,
                  const CampaignOptions& options) {
  double us = 0;
  for (const CampaignItem& item : items) us += least_us(item, contexts, options.visits);
  return us;
}

}  // namespace adamec::measure
