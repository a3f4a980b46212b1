#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "adamec/plan/evaluate.h"
#include "adamec/plan/max_flow.h"

namespace adamec::plan {

// Prices the relaxation may add to compute and transfers, so that its minimum stays a lower bound.
struct Prices {
  // Per edge of the control graph, a share of one unit of flow from its start to its end: the edge
  // pays that share of a move's latency when its ends are on different tiers. Empty: moves are
  // free. The moves of a placement are the largest number of changes along any path, so every such
  // flow charges at most the true handoff.
  std::vector<double> path_share;
  // Per tier: milliseconds per byte of weights placed there.
  std::array<double, 2> per_byte{0, 0};
};

// The two-tier problem without the rule that moves are shared by all tensors that ride along:
// the sum of compute and per-tensor transfers, exact by one minimum cut.
//
// The source's side is tier 0. Every tensor with several consumers has TWO auxiliary nodes, one
// per direction; a tensor with one consumer is a plain pair of arcs. Inputs and results are
// consumers and producers pinned to their tiers. Pinned atoms get a terminal arc as large as all
// their other arcs, which no minimum cut needs to cut.
//
// Capacities are integers: milliseconds times a power of two, rounded DOWN, so that the cut is a
// lower bound of the true minimum. The sum of all capacities is below 2^60 units; the loss is below
// one unit per arc, which is a relative 1e-12 for ten thousand atoms.
class Relaxation {
 public:
  enum class Model {
    kExact,
    // The usual construction (DADS; Hu et al., INFOCOM 2019): one auxiliary node per tensor, so
    // only transfers away from the start tier cost anything.
    kOneAuxiliary,
  };

  struct Solution {
    Placement placement;
    double value_ms = 0;  // at most the priced cost of every placement that keeps the pins
  };

  // The evaluator must outlive this object.
  explicit Relaxation(const Evaluator& evaluator, Model model = Model::kExact);

  // pins: tier per atom, or -1 when free. Pins win over AtomCost::allowed, which is not looked at.
  Solution solve(const std::vector<int>& pins, const Prices& prices = {});

  // What a transfer without a link is charged: more than any placement costs without prices for
  // memory.
  double forbidden_ms() const { return forbidden_ms_; }
  // Nodes and arcs of the network.
  std::int64_t size() const { return static_cast<std::int64_t>(unary_.size() + arcs_.size()); }

 private:
  struct Arc {
    int from;
    int to;
    double forward = 0;   // paid when from is on tier 0 and to on tier 1
    double backward = 0;  // paid when from is on tier 1 and to on tier 0
  };
  // Where the latency of a control edge goes.
  struct EdgeSlot {
    int arc = -1;   // both ends are atoms
    int atom = -1;  // one end is: it pays on tier `tier`
    int tier = -1;
    double move_ms = 0;   // of the atom's edge
    double constant = 0;  // no end is
  };

  double transfer_ms(int tensor, int from, int to) const;
  void add_tensor(int tensor);
  void add_fixed_source(int tensor, int tier);
  void add_direction(int tensor, int producer, int from);
  int add_node();
  int arc_between(int from, int to);
  void add_control_edges();
  void price(const Prices& prices);
  void set_capacities(const std::vector<int>& pins, double scale);

  const Evaluator& evaluator_;
  const CostGraph& costs_;
  Model model_;
  int atom_count_;
  double forbidden_ms_ = 0;  // stands for a transfer without link: more than any placement costs
  double constant_ = 0;
  std::vector<std::array<double, 2>> unary_;  // per node: cost on tier 0 and on tier 1
  std::vector<Arc> arcs_;
  std::unordered_map<std::uint64_t, int> arc_of_;  // while building: by (from, to) of two atoms
  std::vector<EdgeSlot> slots_;
  double total_ms_ = 0;  // bound of the sum of all capacities without prices
  double weight_bytes_ = 0;
  std::vector<FlowNetwork> network_;  // exactly one, made when all arcs are known

  // State of one solve().
  double priced_constant_ = 0;
  std::vector<std::array<double, 2>> priced_unary_;
  std::vector<Arc> priced_arcs_;
  FlowNetwork::Capacities capacities_;
  std::vector<FlowNetwork::Capacity> pushed_;
};

// Tier per atom, -1 when several are possible: pins from AtomCost::allowed and from missing links.
// Throws Error(kInfeasible) when an atom may run nowhere.
std::vector<int> initial_pins(const Evaluator& evaluator);

}  // namespace adamec::plan
