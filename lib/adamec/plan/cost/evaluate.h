#pragma once

#include <compare>
#include <string>
#include <vector>

#include "adamec/plan/cost/control_graph.h"
#include "adamec/plan/cost/cost_graph.h"
#include "adamec/plan/cost/schedule.h"

namespace adamec::plan {

// A tensor on one link.
struct Transfer {
  int tensor;
  int from;
  int to;
  std::uint64_t bytes;
  double ms;
};

// A convex set of atoms that runs on one tier without control moving.
struct Block {
  int tier;
  std::vector<int> atoms;  // in execution order
};

// What tells plans of equal cost apart: the one with the fewest blocks is the better one, then the
// one with the fewest moves.
struct PlanSize {
  int blocks = 0;
  int moves = 0;  // links that control passes

  friend auto operator<=>(const PlanSize&, const PlanSize&) = default;
};

// What a placement costs when its atoms run one after another: compute (with the overhead of every
// block), every tensor sent once to each other tier that needs it, hop by hop where no link leads
// there (TierRoutes), and the latency of every move of control (ControlGraph).
struct Evaluation {
  std::string infeasible;          // why the placement cannot run, in one line; empty when it can
  double latency_ms = 0;           // infinite when a link is missing
  std::vector<double> compute_ms;  // per tier, block overheads included
  double transfer_ms = 0;
  double handoff_ms = 0;
  int moves = 0;                            // links that control passes
  std::vector<std::uint64_t> memory_bytes;  // per tier: weights + the largest activation
  std::vector<Transfer> transfers;          // by tensor
  std::vector<Block> blocks;                // in execution order

  [[nodiscard]] bool feasible() const { return infeasible.empty(); }
  [[nodiscard]] PlanSize size() const { return {static_cast<int>(blocks.size()), moves}; }
};

// The one true cost of placements: every algorithm and baseline is scored here.
class Evaluator {
 public:
  // The cost graph must outlive this object.
  explicit Evaluator(const CostGraph& costs);

  [[nodiscard]] const CostGraph& costs() const { return costs_; }
  [[nodiscard]] const ControlGraph& control() const { return control_; }
  [[nodiscard]] const TierRoutes& routes() const { return control_.routes(); }

  // Tier on which a tensor lies from the start / that needs it as a result; -1: none.
  [[nodiscard]] int input_tier(int tensor) const { return input_tier_[tensor]; }
  [[nodiscard]] int output_tier(int tensor) const { return output_tier_[tensor]; }

  // What moves and starts of blocks cost, in milliseconds; infinite when a link is missing.
  [[nodiscard]] double control_ms(const Placement& placement) const;
  // In the unit of the cost graph: milliseconds, or what an objective is measured in
  // (objective_costs()). Infinite when a link is missing. Memory and allowed tiers are not looked
  // at.
  [[nodiscard]] double cost(const Placement& placement) const;
  // Blocks and moves of the placement, as evaluate() counts them.
  [[nodiscard]] PlanSize size(const Placement& placement) const;
  // Memory of every tier under the placement.
  [[nodiscard]] std::vector<std::uint64_t> memory_bytes(const Placement& placement) const;
  // Bytes by which a tier's use exceeds its memory; 0 when it fits.
  [[nodiscard]] std::uint64_t excess_bytes(int tier, std::uint64_t used) const;
  [[nodiscard]] bool fits(const Placement& placement) const;
  // Whether every atom is on a tier where it may run, and those that share state on one.
  [[nodiscard]] bool allowed(const Placement& placement) const;

  // Everything about the placement (one tier index per atom).
  [[nodiscard]] Evaluation evaluate(const Placement& placement) const;

 private:
  // Calls on_tensor(tensor, home tier, set of other tiers that need it).
  template <typename OnTensor>
  void for_each_sent_tensor(const Placement& placement, OnTensor on_tensor) const;
  double activation_cost(const Placement& placement) const;
  int divided(const Placement& placement) const;
  std::string obstacle(const Placement& placement, const Evaluation& evaluation) const;
  std::string missing_link(const Placement& placement, const Evaluation& evaluation) const;

  const CostGraph& costs_;
  ControlGraph control_;
  std::vector<int> input_tier_;
  std::vector<int> output_tier_;
  bool activation_costs_ = false;
};

}  // namespace adamec::plan
