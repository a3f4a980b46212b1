#include "adamec/plan/search/heuristics.h"

#include <cmath>
#include <limits>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/plan/cost/infinite.h"

namespace adamec::plan {
namespace {

// The cost graph of two of the tiers, with one link in each direction that stands for the way
// between them. Inputs and results elsewhere count as being on the first.
CostGraph pair_costs(const Evaluator& evaluator, int device, int edge) {
  const CostGraph& costs = evaluator.costs();
  CostGraph result = costs;
  result.tiers = {costs.tiers[device], costs.tiers[edge]};
  result.links.assign(4, std::nullopt);
  const auto join = [&](int from, int to, std::size_t slot) {
    if (!evaluator.routes().reachable(from, to)) return;
    Link link;
    link.bytes_per_second = kInfinite;
    link.serialisation_ms_per_byte = evaluator.routes().ms_per_byte(from, to);
    link.latency_ms = evaluator.control().move_ms(from, to);
    result.links[slot] = link;
  };
  join(device, edge, 1);
  join(edge, device, 2);
  for (AtomCost& atom : result.atoms) {
    atom.latency_ms = {atom.latency_ms[device], atom.latency_ms[edge]};
    atom.allowed = {atom.allowed[device], atom.allowed[edge]};
  }
  for (auto* endpoints : {&result.inputs, &result.outputs}) {
    for (Endpoint& endpoint : *endpoints) {
      if (endpoint.tier >= 0) endpoint.tier = endpoint.tier == edge ? 1 : 0;
    }
  }
  return result;
}

// Compares like (cannot run, milliseconds).
std::pair<bool, double> score(const Evaluator& evaluator, const Placement& placement) {
  const Evaluation evaluation = evaluator.evaluate(placement);
  return {!evaluation.feasible(), evaluation.latency_ms};
}

}  // namespace

Placement best_pair(const Evaluator& evaluator, Placement (*method)(const Evaluator&)) {
  const int device = evaluator.control().start_tier();
  Placement best = device_only(evaluator);
  auto best_score = std::pair(true, kInfinite);
  for (int edge = 0; edge < evaluator.costs().tier_count(); ++edge) {
    if (edge == device) continue;
    const CostGraph costs = pair_costs(evaluator, device, edge);
    const Evaluator pair(costs);
    Placement placement;
    try {
      placement = method(pair);
    } catch (const Error&) {
      continue;  // some atom may run on neither
    }
    for (int& tier : placement) tier = tier == 0 ? device : edge;
    if (const auto candidate = score(evaluator, placement); candidate < best_score) {
      best_score = candidate;
      best = std::move(placement);
    }
  }
  return best;
}

Placement greedy(const Evaluator& evaluator) {
  const CostGraph& costs = evaluator.costs();
  const TierRoutes& routes = evaluator.routes();
  Placement placement(costs.atoms.size(), 0);
  std::vector<TierSet> arrived(costs.graph.tensors().size(), 0);
  for (const Endpoint& input : costs.inputs) arrived[input.tensor] = TierSet{1} << input.tier;
  std::vector<double> room(costs.tiers.size(), kInfinite);
  for (std::size_t tier = 0; tier < room.size(); ++tier) {
    const auto memory = static_cast<double>(costs.tiers[tier].memory_bytes);
    if (memory > 0) room[tier] = memory;
  }
  int at = evaluator.control().start_tier();
  for (int atom : costs.graph.topological_order()) {
    const auto& inputs = costs.graph.atoms()[atom].inputs;
    const auto home = [&](int tensor) {
      const int producer = costs.graph.tensors()[tensor].producer;
      return producer < 0 ? evaluator.input_tier(tensor) : placement[producer];
    };
    const auto bytes = static_cast<double>(costs.atoms[atom].weight_bytes);
    const auto need = bytes + static_cast<double>(costs.atoms[atom].activation_bytes);
    auto least = std::pair(2, kInfinite);
    for (int tier = 0; tier < costs.tier_count(); ++tier) {
      double ms = costs.atoms[atom].latency_ms[tier] + evaluator.control().move_ms(at, tier);
      for (int tensor : inputs) {
        if (arrived[tensor] >> tier & 1) continue;
        ms += routes.transfer_ms(home(tensor), TierSet{1} << tier,
                                 costs.graph.tensors()[tensor].bytes);
      }
      const int obstacle = !costs.atoms[atom].allowed[tier] ? 2 : need > room[tier] ? 1 : 0;
      if (std::pair(obstacle, ms) >= least) continue;
      least = {obstacle, ms};
      placement[atom] = tier;
    }
    const int tier = placement[atom];
    at = tier;
    room[tier] -= bytes;
    for (int tensor : inputs) arrived[tensor] |= TierSet{1} << tier;
    for (int tensor : costs.graph.atoms()[atom].outputs) arrived[tensor] = TierSet{1} << tier;
  }
  return placement;
}

std::optional<Placement> exhaustive(const Evaluator& evaluator) {
  const CostGraph& costs = evaluator.costs();
  double count = 1;
  for (std::size_t i = 0; i < costs.atoms.size() && count <= kMaxExhaustive; ++i) {
    count *= costs.tier_count();
  }
  if (count > kMaxExhaustive) return std::nullopt;
  Placement placement(costs.atoms.size(), 0);
  Placement best = placement;
  double best_ms = kInfinite;
  for (;;) {
    if (evaluator.allowed(placement) && evaluator.fits(placement)) {
      const double ms = evaluator.cost(placement);
      if (ms < best_ms) {
        best_ms = ms;
        best = placement;
      }
    }
    std::size_t i = 0;
    while (i < placement.size() && ++placement[i] == costs.tier_count()) placement[i++] = 0;
    if (i == placement.size()) return best;
  }
}

}  // namespace adamec::plan
