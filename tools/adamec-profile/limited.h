#pragma once

#include <functional>
#include <span>

#include "adamec/measure/campaign.h"

namespace adamec::tools {

// The part of the items that has contexts with a memory limit, each with its unlimited partners.
[[nodiscard]] std::vector<measure::CampaignItem> limited_items(
    std::span<const measure::CampaignItem> items, std::span<const v1::Context> contexts);
// The same items without those contexts.
[[nodiscard]] std::vector<measure::CampaignItem> unlimited_items(
    std::span<const measure::CampaignItem> items, std::span<const v1::Context> contexts);

// Measures one item and one memory limit after the other, each in a process of its own in a control
// group: what needs more than the limit is killed by the system, and reported as a failure. To be
// called before LibTorch has run anything in this process. `on_sample` gets the samples as they
// come.
[[nodiscard]] measure::CampaignResult run_limited(
    std::span<const measure::CampaignItem> items, std::span<const v1::Context> contexts,
    const measure::Loader& load, const machine::Clock& clock,
    const measure::CampaignOptions& options,
    const std::function<void(const std::vector<v1::Sample>&)>& on_sample);

}  // namespace adamec::tools
