#pragma once

#include <optional>

#include "adamec/plan/cost/evaluate.h"

namespace adamec::plan {

// What others do, for comparison. "Device" is the tier on which control starts, "edge" the other
// one of two; with more tiers, methods for two take the device and the tier with which they do
// best. Placements may be infeasible: score them with Evaluator::evaluate().

[[nodiscard]] Placement device_only(const Evaluator& evaluator);
[[nodiscard]] Placement edge_only(const Evaluator& evaluator);
// The best single cut of the topological order: the atoms before it on the device, the others on
// the edge (Kang et al., "Neurosurgeon", ASPLOS 2017). Cuts that can run come first.
[[nodiscard]] Placement neurosurgeon(const Evaluator& evaluator);
// A minimum cut with one auxiliary node per tensor (Hu et al., "Dynamic adaptive DNN surgery",
// INFOCOM 2019): what comes back from the edge costs it nothing.
[[nodiscard]] Placement dads(const Evaluator& evaluator);
// Our relaxation with two auxiliary nodes per tensor, moves not counted: one minimum cut.
[[nodiscard]] Placement min_cut(const Evaluator& evaluator);

// One atom after the other in topological order, each where it is done first: its inputs sent,
// control moved, and computed; where memory is left, if it is anywhere.
[[nodiscard]] Placement greedy(const Evaluator& evaluator);
// All placements, where there are no more than kMaxExhaustive.
[[nodiscard]] std::optional<Placement> exhaustive(const Evaluator& evaluator);
inline constexpr double kMaxExhaustive = 1 << 16;

// Of the device paired with each other tier, the best placement of a method for two tiers.
[[nodiscard]] Placement best_pair(const Evaluator& evaluator,
                                  Placement (*method)(const Evaluator&));

}  // namespace adamec::plan
