#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adamec/machine/clock.h"
#include "adamec/machine/context_control.h"
#include "adamec/measure/protocol.h"
#include "adamec/measure/runnable.h"
#include "adamec/measure/work_items.h"

namespace adamec::measure {

// What to measure: configurations, each in some of the contexts.
struct CampaignItem {
  const WorkItem* plan = nullptr;
  std::vector<std::size_t> contexts;
  // Visits that an interrupted run made, by index of the context.
  std::multimap<std::size_t, v1::Visit> earlier;
};

struct CampaignOptions {
  unsigned visits = kFewestVisits;  // at least, per configuration and context
  std::uint64_t seed = 0;
  // Indices of items in the order to measure them; empty: random by the seed. A budget that is too
  // small leaves out the last.
  std::vector<std::size_t> order;
  double budget_us = 0;  // time to spend altogether; 0: what the visits take
  // Of an interrupted run's last round, by index of the context.
  std::multimap<std::size_t, v1::Reading> earlier_readings;
  std::string host_id;
  std::string run_id;  // names this run in Sample.round
  // Of what is loaded and interleaved at one time. Many, so that the visits of each lie apart.
  std::size_t round_items = 32;
  std::uint64_t round_bytes = std::uint64_t{1} << 30;
};

struct Failure {
  const WorkItem* plan = nullptr;
  std::string reason;
  std::uint64_t memory_limit = 0;  // of the context it failed in, where that is known to matter
};

// In the order of the items and contexts, whatever order they were measured in.
struct CampaignResult {
  std::vector<v1::Sample> samples;
  std::vector<Failure> failures;
  std::size_t measured = 0;  // items
  std::size_t left_out = 0;  // items the budget had no room for
};

// How far a campaign is, in expected time.
struct CampaignProgress {
  double done_us = 0;
  double all_us = 0;
};

// Loads the atom of a plan item, ready to run. Throws Error.
using Loader = std::function<std::unique_ptr<Runnable>(const WorkItem&)>;

struct CampaignEvents {
  std::function<void(const v1::Visit&)> on_visit;
  std::function<void(const v1::Reading&)> on_reading;
  // After every visit, too.
  std::function<void(const CampaignProgress&)> on_progress;
  // After every round, with the samples so far.
  std::function<void(const std::vector<v1::Sample>&)> on_round;
};

// Measures the items in rounds (protocol.h): as many at once as memory allows, those first that
// were visited before. On shared machines the level of all times drifts over minutes, so that a
// round may be disturbed as a whole: a second sweep over all items, in other rounds, makes half as
// many visits again, and further ones go on with what has not settled (the least times of two
// sweeps differ by more than 3 %), up to three times the visits asked for. Contexts with load or a
// quota, where what disturbs is what is measured, are visited again, together with the contexts
// they are compared with, until the standard error of the mean is 3 %: atoms up to three times the
// visits asked for, blocks and models, whose errors do not cancel out, up to twelve times. With a
// budget, sweeps are added while there is time and items left out when there is not; at least one
// item is measured. An atom that fails is reported and the others go on.
[[nodiscard]] CampaignResult run_campaign(std::span<const CampaignItem> items,
                                          std::span<const v1::Context> contexts, const Loader& load,
                                          machine::ContextControl& control,
                                          const machine::Clock& clock,
                                          const CampaignOptions& options,
                                          const CampaignEvents& events);

// About how long the item takes in two sweeps, loading included, guessed from its work.
[[nodiscard]] double expected_us(const CampaignItem& item, std::span<const v1::Context> contexts,
                                 unsigned visits);

}  // namespace adamec::measure
