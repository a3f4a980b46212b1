#include "adamec/plan/compare/competitors.h"

#include <cmath>

#include "adamec/plan/search/heuristics.h"

namespace adamec::plan {

std::optional<double> break_even(const CostGraph& costs, const Evaluation& a, const Evaluation& b) {
  const auto sending = [&](const Evaluation& evaluation) {
    double ms = 0;
    for (const Transfer& transfer : evaluation.transfers) {
      const auto& link = costs.link(transfer.from, transfer.to);
      ms += static_cast<double>(transfer.bytes) / link->bytes_per_second * 1e3;
    }
    return ms;
  };
  const double sent_a = sending(a);
  const double sent_b = sending(b);
  const double rest = (b.latency_ms - sent_b) - (a.latency_ms - sent_a);
  const double factor = (sent_a - sent_b) / rest;  // of all bandwidths
  if (!a.feasible() || !b.feasible() || !(factor > 0) || !std::isfinite(factor)) {
    return std::nullopt;
  }
  return factor;
}

std::vector<Competitor> compare(const Evaluator& evaluator, const Plan& ours) {
  std::vector<Competitor> all{{"device-only", evaluator.evaluate(device_only(evaluator))},
                              {"edge-only", evaluator.evaluate(edge_only(evaluator))},
                              {"neurosurgeon", evaluator.evaluate(neurosurgeon(evaluator))},
                              {"dads", evaluator.evaluate(dads(evaluator))},
                              {"greedy", evaluator.evaluate(greedy(evaluator))}};
  if (const auto best = exhaustive(evaluator)) {
    all.push_back({"exhaustive", evaluator.evaluate(*best)});
  }
  all.push_back({"ours", ours.evaluation});
  return all;
}

}  // namespace adamec::plan
