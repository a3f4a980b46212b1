#include "adamec/plan/search/shared_state.h"

#include <algorithm>

namespace adamec::plan {

bool has_alternatives(const CostGraph& costs) { return !costs.shared_state.empty(); }

CostGraph with_state_on(const CostGraph& costs, int tier) {
  CostGraph pinned = costs;
  pinned.shared_state.clear();
  for (const int atom : costs.shared_state) {
    std::vector<char>& allowed = pinned.atoms[atom].allowed;
    std::fill(allowed.begin(), allowed.end(), 0);
    allowed[tier] = 1;
  }
  return pinned;
}

std::vector<CostGraph> alternatives(const CostGraph& costs) {
  std::vector<CostGraph> graphs;
  for (int tier = 0; tier < costs.tier_count(); ++tier) {
    if (!std::all_of(costs.shared_state.begin(), costs.shared_state.end(),
                     [&](int atom) { return costs.atoms[atom].allowed[tier] != 0; })) {
      continue;
    }
    graphs.push_back(with_state_on(costs, tier));
  }
  if (graphs.empty()) {
    fail_with(ErrorKind::kInfeasible,
              "{}: the atoms that share state may not all run on one tier ('{}' and others)",
              costs.source, printable(costs.graph.atoms()[costs.shared_state.front()].id));
  }
  return graphs;
}

}  // namespace adamec::plan
