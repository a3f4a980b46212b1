#pragma once

#include <string>
#include <vector>

#include "adamec/plan/compare/competitors.h"
#include "adamec/report/document.h"

namespace adamec::report {

// The plan with the fields of the plan format. `competitors` may be empty; a competitor that cannot
// run is null.
[[nodiscard]] Document plan_document(const plan::CostGraph& costs, const plan::Plan& plan,
                                     const std::vector<plan::Competitor>& competitors);

// A table for people: one line per competitor, with what "ours" saves against it and
// the bandwidth of the first link (all others scaled alike) at which both plans, as they are, would
// take equally long.
[[nodiscard]] std::string comparison_table(const plan::CostGraph& costs,
                                           const std::vector<plan::Competitor>& competitors);

// The atom graph for graphviz, atoms coloured by tier; tensors that move between tiers are dashed
// and carry their size and time.
[[nodiscard]] std::string plan_dot(const plan::CostGraph& costs, const plan::Plan& plan);

// One self-contained page: the graph as a picture, atoms in layers from top to bottom and coloured
// by tier, with times, and with the bytes and times of what moves between tiers; and where the time
// goes. `explanation` (plan/explain.h) may be empty.
[[nodiscard]] std::string plan_html(const plan::CostGraph& costs, const plan::Plan& plan,
                                    const std::vector<std::string>& explanation);

}  // namespace adamec::report
