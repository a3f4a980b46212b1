#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "adamec/measure/campaign.h"

namespace adamec::measure {

// The order in which a predictor gains most, for budgets that do not reach far: indices of items.
//
// Atoms go farthest first: next is always the one whose configuration is farthest from all measured
// so far (`measured` and those before it in the order), configurations of operators or kernel
// backends without any sample being farther than all others (Gonzalez, Clustering to minimize the
// maximum intercluster distance, 1985). Blocks and whole models, from which the correction of sums
// of atoms is learnt, get a share of the time from the start: blocks of all models in turn, models
// from the quickest on.
[[nodiscard]] std::vector<std::size_t> measuring_order(std::span<const CampaignItem> items,
                                                       std::span<const v1::Context> contexts,
                                                       std::span<const v1::Sample* const> measured,
                                                       unsigned visits);

}  // namespace adamec::measure
