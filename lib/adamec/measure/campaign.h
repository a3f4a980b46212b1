#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adamec/measure/clock.h"
#include "adamec/measure/protocol.h"
#include "adamec/measure/runnable.h"
#include "adamec/measure/sample_plan.h"
#include "adamec/measure/stage.h"

namespace adamec::measure {

// What to measure: configurations, each in some of the contexts.
struct CampaignItem {
  const PlanItem* plan = nullptr;
  const v1::Manifest* manifest = nullptr;
  std::vector<std::size_t> contexts;
};

struct CampaignOptions {
  unsigned visits = kFewestVisits;  // at least, per configuration and context
  std::uint64_t seed = 0;
  double budget_us = 0;  // time to spend altogether; 0: what the visits take
  std::string host_id;
  std::string run_id;  // names this run in Sample.round
  // Of what is loaded and interleaved at one time. Many, so that the visits of each lie apart.
  std::size_t round_items = 32;
  std::uint64_t round_bytes = std::uint64_t{1} << 30;
};

struct Failure {
  const PlanItem* plan = nullptr;
  std::string reason;
};

// In the order of the items and contexts, whatever order they were measured in.
struct CampaignResult {
  std::vector<v1::Sample> samples;
  std::vector<Failure> failures;
  std::size_t measured = 0;  // items
  std::size_t left_out = 0;  // items the budget had no room for
};

// Loads the atom of a plan item, ready to run. Throws Error.
using Loader = std::function<std::unique_ptr<Runnable>(const PlanItem&)>;

struct CampaignEvents {
  std::function<void()> on_visit;
  // After every round, with the samples so far.
  std::function<void(const std::vector<v1::Sample>&)> on_round;
};

// Measures the items in rounds (protocol.h): in random order, as many at once as memory allows.
// With a budget, visits are added while there is time and items left out when there is not; at
// least one item is measured. An atom that fails is reported and the others go on.
CampaignResult run_campaign(std::span<const CampaignItem> items,
                            std::span<const v1::Context> contexts, const Loader& load, Stage& stage,
                            const Clock& clock, const CampaignOptions& options,
                            const CampaignEvents& events);

// Visits that run_campaign will make at least, for a progress bar.
std::size_t planned_visits(std::span<const CampaignItem> items, const CampaignOptions& options);
// The least time they take, without loading and without a budget.
double planned_us(std::span<const CampaignItem> items, std::span<const v1::Context> contexts,
                  const CampaignOptions& options);

}  // namespace adamec::measure
