#include "adamec/plan/search/shared_state.h"

#include <algorithm>

namespace adamec::plan {

bool has_alternatives(const CostGraph& costs) { return !costs.together.empty(); }

std::vector<CostGraph> alternatives(const CostGraph& costs) {
  std::vector<CostGraph> graphs;
  for (int tier = 0; tier < costs.tier_count(); ++tier) {
    if (!std::all_of(costs.together.begin(), costs.together.end(),
                     [&](int atom) { return costs.atoms[atom].allowed[tier] != 0; })) {
      continue;
    }
    CostGraph& pinned = graphs.emplace_back(costs);
    pinned.together.clear();
    for (const int atom : costs.together) {
      std::vector<char>& allowed = pinned.atoms[atom].allowed;
      std::fill(allowed.begin(), allowed.end(), 0);
      allowed[tier] = 1;
    }
  }
  if (graphs.empty()) {
    fail_with(ErrorKind::kInfeasible,
              "{}: the atoms that share state may not all run on one tier ('{}' and others)",
              costs.source, printable(costs.graph.atoms()[costs.together.front()].id));
  }
  return graphs;
}

}  // namespace adamec::plan
