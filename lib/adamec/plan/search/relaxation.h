#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "adamec/graph/max_flow.h"
#include "adamec/plan/cost/evaluate.h"
#include "adamec/plan/search/tier_line.h"

namespace adamec::plan {

// Prices the relaxation may add to compute and transfers, so that its minimum stays a lower bound.
struct Prices {
  // Per edge of the control graph, a share of one unit of flow from its start to its end: the edge
  // pays that share of what it costs (ControlGraph::edge_ms). Empty: moves are free. A placement
  // pays at least the longest of all paths, so every such flow charges at most the true amount.
  std::vector<double> path_share;
  // Per tier: milliseconds per byte of weights placed there. Empty: none.
  std::vector<double> per_byte;

  [[nodiscard]] double of_tier(int tier) const { return per_byte.empty() ? 0 : per_byte[tier]; }
};

// The problem without the rule that moves are shared by all tensors that ride along: the sum of
// compute and per-tensor transfers, exact by one minimum cut where the tiers form a row (two tiers,
// or a chain), and a lower bound for any other tier graph (TierLine).
//
// An atom has one node per hop of the row: on the sink's side when the atom lies beyond the hop, so
// that two tiers need one node, and more an infinite arc from each node to the next (Ishikawa,
// "Exact optimization for Markov random fields with convex priors", PAMI 2003). The source's side
// of the only hop of two tiers is tier 0. Per hop, every tensor with several consumers has TWO
// auxiliary nodes, one per direction; a tensor with one consumer is a plain pair of arcs. Inputs
// and results are consumers and producers pinned to their tiers. Pinned nodes get a terminal arc as
// large as all their other arcs, which no minimum cut needs to cut.
//
// Capacities are integers: milliseconds times a power of two, rounded DOWN, so that the cut is a
// lower bound of the true minimum. The sum of all capacities is below 2^60 units; the loss is below
// one unit per arc, which is a relative 1e-12 for ten thousand atoms.
class Relaxation {
 public:
  enum class Model {
    kExact,
    // The usual construction (DADS; Hu et al., INFOCOM 2019), two tiers only: one auxiliary node
    // per tensor, so only transfers away from the start tier cost anything.
    kOneAuxiliary,
  };

  struct Solution {
    Placement placement;
    double cost = 0;  // at most the priced cost of every placement that keeps the pins
  };

  // The evaluator must outlive this object.
  explicit Relaxation(const Evaluator& evaluator, Model model = Model::kExact);

  // pins: tier per atom, or -1 when free. Pins win over AtomCost::allowed, which two tiers do not
  // look at.
  [[nodiscard]] Solution solve(const std::vector<int>& pins, const Prices& prices = {});

  // What a transfer without a link is charged: more than any placement costs without prices for
  // memory.
  [[nodiscard]] double forbidden_cost() const { return forbidden_cost_; }
  // Nodes and arcs of the network.
  [[nodiscard]] std::int64_t size() const {
    return static_cast<std::int64_t>(unary_.size() + arcs_.size());
  }

  // The network, for those who read what a cut leaves of it.
  [[nodiscard]] const TierLine& line() const { return line_; }
  [[nodiscard]] int node_count() const { return static_cast<int>(unary_.size()); }
  [[nodiscard]] int atom_node(int atom, int hop) const { return atom * hops_ + hop; }
  struct Auxiliary {  // numbered from the last atom's node on
    int tensor;
    int hop;
    bool up;
  };
  [[nodiscard]] const std::vector<Auxiliary>& auxiliaries() const { return auxiliaries_; }
  struct Rest {
    double cost;  // of the last solve()
    double unit_cost;
    std::vector<std::array<std::int64_t, 2>> nodes;  // on the source's and on the sink's side
    struct RestArc {
      int from;
      int to;
      std::int64_t forward;   // paid when only `to` is on the sink's side
      std::int64_t backward;  // paid when only `from` is
    };
    std::vector<RestArc> arcs;  // those that have something left
  };
  // What every labelling of the nodes costs above the last solve()'s value, in units.
  [[nodiscard]] Rest rest() const;

 private:
  struct CutCost {
    int from;
    int to;
    double forward = 0;   // paid when from is on the source's side and to on the sink's
    double backward = 0;  // paid when it is the other way round
  };
  // Where a control edge's cost on one hop goes: to an arc or a node, or it is constant.
  struct EdgeSlot {
    int edge;
    int arc = -1;
    int node = -1;
    std::array<double, 2> ms{0, 0};  // arc: forward, backward; node: on either side
    double constant = 0;
  };

  double transfer_cost(int tensor, int hop, bool up) const;
  void add_atoms();
  void add_tensor(int tensor);
  void add_fixed_source(int tensor, int tier, int hop);
  void add_direction(int tensor, int producer, int hop, bool up);
  int add_auxiliary(int tensor, int hop, bool up);
  int arc_between(int from, int to);
  void add_control_edges();
  void add_control_edge(int index, int hop);
  double edge_cost(int index, int hop, bool from_side, bool to_side) const;
  void price(const Prices& prices);
  void set_capacities(const std::vector<int>& pins, double scale);
  void set_order_arcs();

  const Evaluator& evaluator_;
  const CostGraph& costs_;
  Model model_;
  TierLine line_;
  int atom_count_;
  int hops_;
  double forbidden_cost_ = 0;  // stands for a transfer without link: more than any placement costs
  double constant_ = 0;
  std::vector<std::array<double, 2>> unary_;  // per node: cost on either side
  std::vector<Auxiliary> auxiliaries_;
  std::vector<CutCost> arcs_;
  std::size_t order_arcs_ = 0;                     // the first ones: from a node to the atom's next
  std::unordered_map<std::uint64_t, int> arc_of_;  // while building: by (from, to) of two nodes
  std::vector<EdgeSlot> slots_;
  double total_cost_ = 0;      // bound of the sum of all capacities without prices
  double all_moves_cost_ = 0;  // the same of all that path shares may add
  double weight_bytes_ = 0;
  std::vector<graph::FlowNetwork> network_;  // exactly one, made when all arcs are known

  // State of one solve().
  double priced_constant_ = 0;
  double unit_cost_ = 0;
  double cost_ = 0;
  std::vector<std::array<double, 2>> priced_unary_;
  std::vector<CutCost> priced_arcs_;
  graph::FlowNetwork::Capacities capacities_;
};

// Whether the atom may run on the tier and control gets there and from there to its end.
[[nodiscard]] bool can_run_on(const Evaluator& evaluator, std::size_t atom, int tier);

// Tier per atom, -1 when several are possible (can_run_on). Throws Error(kInfeasible) when an atom
// may run nowhere.
[[nodiscard]] std::vector<int> initial_pins(const Evaluator& evaluator);

}  // namespace adamec::plan
