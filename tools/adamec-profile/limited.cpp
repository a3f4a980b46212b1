#include "tools/adamec-profile/limited.h"

#include <algorithm>
#include <csignal>
#include <memory>
#include <set>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/machine/affinity.h"
#include "adamec/machine/isolated.h"
#include "adamec/machine/machine.h"
#include "adamec/measure/atom_runner.h"
#include "adamec/measure/contexts.h"

namespace adamec::tools {
namespace {

using measure::CampaignItem;

// The item in the contexts of one limit, and their partners without.
CampaignItem with_limit(const CampaignItem& item, std::span<const v1::Context> contexts,
                        std::uint64_t limit) {
  std::set<std::string> partners;
  for (const std::size_t index : item.contexts) {
    if (contexts[index].memory_limit() != limit) continue;
    partners.insert(measure::measurement_key("", measure::uncontended(contexts[index])));
  }
  CampaignItem part{item.plan, {}, {}};
  for (const std::size_t index : item.contexts) {
    const bool partner = partners.count(measure::measurement_key("", contexts[index])) != 0;
    if (contexts[index].memory_limit() == limit || partner) part.contexts.push_back(index);
  }
  return part;
}

std::set<std::uint64_t> limits_of(const CampaignItem& item, std::span<const v1::Context> contexts) {
  std::set<std::uint64_t> limits;
  for (const std::size_t index : item.contexts) limits.insert(contexts[index].memory_limit());
  limits.erase(0);
  return limits;
}

// In the child: the limit holds from before the atom is loaded.
std::string measure_limited(const CampaignItem& item, std::span<const v1::Context> contexts,
                            std::uint64_t limit, const measure::Loader& load,
                            const machine::Clock& clock, const measure::CampaignOptions& options) {
  std::vector<v1::Context> used;
  for (const std::size_t index : item.contexts) used.push_back(contexts[index]);
  machine::Machine machine(machine::usable_cpus(), used, clock, measure::set_threads);
  machine.limit_memory(limit);
  const CampaignItem items[] = {item};
  const measure::CampaignResult result =
      measure::run_campaign(items, contexts, load, machine, clock, options, {});
  if (!result.failures.empty()) fail("{}", result.failures.front().reason);
  v1::SampleSet set;
  for (const v1::Sample& sample : result.samples) *set.add_samples() = sample;
  return set.SerializeAsString();
}

// Takes back what a process that was killed has changed on the host.
class HostGuard {
 public:
  explicit HostGuard(std::span<const v1::Context> contexts) {
    const auto limited = [](const v1::Context& context) { return context.frequency() > 0; };
    if (std::any_of(contexts.begin(), contexts.end(), limited)) {
      frequency_ = std::make_unique<machine::FrequencyLimit>(machine::usable_cpus());
    }
  }

  void undo(int process) const {
    using Controller = machine::ControlGroup::Controller;
    for (const Controller controller : {Controller::kCpu, Controller::kMemory}) {
      machine::ControlGroup::remove_left_behind(controller, process);
    }
    if (frequency_) frequency_->set(0);
  }

 private:
  std::unique_ptr<machine::FrequencyLimit> frequency_;
};

}  // namespace

std::vector<CampaignItem> limited_items(std::span<const CampaignItem> items,
                                        std::span<const v1::Context> contexts) {
  std::vector<CampaignItem> chosen;
  for (const CampaignItem& item : items) {
    if (!limits_of(item, contexts).empty()) chosen.push_back(item);
  }
  return chosen;
}

std::vector<CampaignItem> unlimited_items(std::span<const CampaignItem> items,
                                          std::span<const v1::Context> contexts) {
  std::vector<CampaignItem> chosen;
  for (CampaignItem item : items) {
    std::erase_if(item.contexts,
                  [&](std::size_t index) { return contexts[index].memory_limit() > 0; });
    if (!item.contexts.empty()) chosen.push_back(std::move(item));
  }
  return chosen;
}

measure::CampaignResult run_limited(
    std::span<const CampaignItem> items, std::span<const v1::Context> contexts,
    const measure::Loader& load, const machine::Clock& clock,
    const measure::CampaignOptions& options,
    const std::function<void(const std::vector<v1::Sample>&)>& on_sample) {
  measure::CampaignResult all;
  measure::CampaignOptions own = options;
  own.budget_us = 0;
  own.order.clear();
  const HostGuard guard(contexts);
  unsigned processes = 0;
  for (const CampaignItem& item : items) {
    for (const std::uint64_t limit : limits_of(item, contexts)) {
      const CampaignItem part = with_limit(item, contexts, limit);
      own.run_id = fmt::format("{}-m{}", options.run_id, ++processes);
      const machine::IsolatedResult result = machine::run_isolated(
          [&] { return measure_limited(part, contexts, limit, load, clock, own); });
      v1::SampleSet set;
      const auto fail_item = [&](const std::string& reason) {
        all.failures.push_back({item.plan, item.plan->sample.sample_atom() + ": " + reason, limit});
      };
      if (result.signal != 0) guard.undo(result.process);
      if (result.signal == SIGKILL) {
        fail_item(fmt::format("the system ended it: it needs more than {}", format_bytes(limit)));
      } else if (result.signal != 0) {
        fail_item(fmt::format("the measuring process was ended by signal {}", result.signal));
      } else if (!result.failure.empty() || !set.ParseFromString(result.bytes)) {
        all.failures.push_back({item.plan, result.failure, limit});
      } else {
        ++all.measured;
        all.samples.insert(all.samples.end(), set.samples().begin(), set.samples().end());
        on_sample(all.samples);
      }
    }
  }
  return all;
}

}  // namespace adamec::tools
