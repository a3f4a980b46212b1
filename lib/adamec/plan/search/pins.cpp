#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/plan/search/relaxation.h"

namespace adamec::plan {
namespace {

[[noreturn]] void fail_without_link(const Evaluator& evaluator, std::size_t atom) {
  const CostGraph& costs = evaluator.costs();
  const ControlGraph& control = evaluator.control();
  const auto& allowed = costs.atoms[atom].allowed;
  const int tier = static_cast<int>(std::find(allowed.begin(), allowed.end(), 1) - allowed.begin());
  const bool there = std::isfinite(control.move_ms(control.start_tier(), tier));
  const int from = there ? tier : control.start_tier();
  const int to = there ? control.end_tier() : tier;
  fail_with(ErrorKind::kInfeasible,
            "{}: atom '{}' may only run on '{}', but no {} from '{}' to '{}'", costs.source,
            printable(costs.graph.atoms()[atom].id), printable(costs.tiers[tier].name),
            costs.tier_count() > 2 ? "path of links leads" : "link leads",
            printable(costs.tiers[from].name), printable(costs.tiers[to].name));
}

}  // namespace

bool can_run_on(const Evaluator& evaluator, std::size_t atom, int tier) {
  const ControlGraph& control = evaluator.control();
  const int end = control.end_tier();
  return evaluator.costs().atoms[atom].allowed[tier] &&
         std::isfinite(control.move_ms(control.start_tier(), tier)) &&
         (end < 0 || std::isfinite(control.move_ms(tier, end)));
}

std::vector<int> initial_pins(const Evaluator& evaluator) {
  const CostGraph& costs = evaluator.costs();
  std::vector<int> pins(costs.atoms.size(), -1);
  for (std::size_t i = 0; i < pins.size(); ++i) {
    const auto& allowed = costs.atoms[i].allowed;
    if (std::find(allowed.begin(), allowed.end(), 1) == allowed.end()) {
      fail_with(ErrorKind::kInfeasible, "{}: atom '{}' may not run on any tier", costs.source,
                printable(costs.graph.atoms()[i].id));
    }
    int choices = 0;
    for (int tier = 0; tier < costs.tier_count(); ++tier) {
      if (!can_run_on(evaluator, i, tier)) continue;
      pins[i] = tier;
      ++choices;
    }
    // When control cannot even return where it started, the search says so.
    const int start = evaluator.control().start_tier();
    if (choices == 0 && !allowed[start]) fail_without_link(evaluator, i);
    if (choices == 0) pins[i] = start;
    if (choices > 1) pins[i] = -1;
  }
  return pins;
}

}  // namespace adamec::plan
