#pragma once

#include <string>
#include <vector>

#include "adamec/plan/optimal.h"

namespace adamec::plan {

// What others do, for comparison, on one or two tiers. "Device" is the tier on which control
// starts, "edge" the other one. Placements may be infeasible: score them with
// Evaluator::evaluate().

Placement device_only(const Evaluator& evaluator);
Placement edge_only(const Evaluator& evaluator);
// The best single cut of the topological order: the atoms before it on the device, the others on
// the edge (Kang et al., "Neurosurgeon", ASPLOS 2017). Cuts that can run come first.
Placement neurosurgeon(const Evaluator& evaluator);
// A minimum cut with one auxiliary node per tensor (Hu et al., "Dynamic adaptive DNN surgery",
// INFOCOM 2019): what comes back from the edge costs it nothing.
Placement dads(const Evaluator& evaluator);
// Our relaxation with two auxiliary nodes per tensor, moves not counted: one minimum cut.
Placement min_cut(const Evaluator& evaluator);

struct Baseline {
  std::string name;
  Evaluation evaluation;
};
// "device-only", "edge-only", "neurosurgeon", "dads" and "ours" (the given plan), all scored alike.
std::vector<Baseline> compare(const Evaluator& evaluator, const Plan& ours);

}  // namespace adamec::plan
