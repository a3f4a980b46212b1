#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "adamec/plan/search/bounds.h"

namespace adamec::plan {

// Exact search for what minimum cuts only bound: memory limits and moves.
//
// Dynamic programming over the topological order. A label is a placement of the atoms so far;
// labels that agree on all that later atoms see (tiers of atoms and the places of tensors that are
// still needed, phases of control) differ only in cost and memory, and those that are worse in all
// of them are dropped. What a minimum cut leaves of its network says how much a label costs at
// least: the cut's bound plus what the label cuts of the rest. Labels whose bound reaches the best
// known plan are dropped, too. Networks are narrow, so few labels are left.
//
// Up to four tiers; moves must be free, or the tiers two without block overheads (otherwise moves
// are no matter of phases).
class LabelSearch {
 public:
  // `choices`: the tiers where each atom may run. All must outlive this object.
  LabelSearch(const Evaluator& evaluator, const Relaxation& relaxation,
              const std::vector<TierSet>& choices, const Bounds::Reduced& reduced,
              const Prices& prices);

  [[nodiscard]] static bool is_available(const Evaluator& evaluator, bool moves_cost);

  struct Callbacks {
    std::function<double()> cutoff;  // labels from here on are not wanted
    std::function<void(const Placement&)> on_placement;
    std::function<bool()> stop;
  };
  struct Result {
    bool complete = false;  // nothing below the cutoff was dropped
    double bound = 0;       // else: the least bound of all that was
  };
  // Keeps at most `width` labels per step.
  [[nodiscard]] Result run(std::size_t width, const Callbacks& callbacks);

  [[nodiscard]] std::int64_t work() const { return work_; }

 private:
  static constexpr int kMaxTiers = 4;
  static constexpr int kSlots = 64;
  using Slots = std::array<std::uint8_t, kSlots>;

  struct Label {
    std::int64_t rest = 0;  // what it cuts of the rest, in units
    double cost = 0;        // compute and transfers so far
    std::array<double, kMaxTiers> weights{};
    std::array<double, kMaxTiers> activation{};
    double bound = 0;
    std::uint32_t parent = 0;
    std::uint8_t choice = 0;
    Slots slots{};
  };
  struct LabelParent {
    std::uint32_t parent;
    std::uint8_t choice;
  };
  // A node of the network: of an atom, on a hop, or auxiliary.
  struct CutNode {
    int item;
    int hop;
    bool tensor;
    bool up;
  };
  struct Cut {  // an arc of the rest between a node of this step and an earlier one, or itself
    CutNode earlier;
    CutNode own;
    std::int64_t forward;  // paid when only `own` is on the sink's side
    std::int64_t backward;
  };
  struct Unary {
    CutNode own;
    std::array<std::int64_t, 2> rest;
  };
  struct Step {
    bool commits;  // decides where a tensor goes; otherwise where an atom runs
    int item;      // tensor or atom
    std::vector<Cut> cuts;
    std::vector<Unary> unary;
    int slot = -1;
    int phase_slot = -1;
    std::vector<int> released;  // slots
  };

  struct Later {  // of all atoms that are still to come
    double weights;
    double activation;
  };

  void make_steps();
  bool is_committed(int tensor) const;
  void add_rest(const Bounds::Reduced& reduced);
  void assign_slots();
  CutNode node(int number) const;
  int step_of(const CutNode& node) const {
    return node.tensor ? step_of_tensor_[node.item] : step_of_atom_[node.item];
  }
  bool side(const CutNode& node, int own_value, const Slots& slots, bool own) const;
  void expand_atom(const Step& step, const Label& label, std::uint32_t index);
  void expand_tensor(const Step& step, const Label& label, std::uint32_t index);
  bool add_inputs(int atom, int tier, Label& next) const;
  void set_phase(const Step& step, int tier, Label& next) const;
  void add(const Step& step, int value, Label& next);
  void drop_dominated();
  bool dominates(const Label& a, const Label& b) const;
  void keep_best(std::size_t width, Result& result);
  Placement placement(std::uint32_t index) const;

  const Evaluator& evaluator_;
  const CostGraph& costs_;
  const ControlGraph& control_;
  const Relaxation& relaxation_;
  const std::vector<TierSet>& choices_;
  int tiers_;
  bool phases_;
  std::vector<double> price_;  // per tier, and what is subtracted for all of them:
  double base_cost_ = 0;
  double unit_cost_ = 0;
  bool too_wide_ = false;
  std::vector<Step> steps_;
  std::vector<int> step_of_atom_;
  std::vector<int> step_of_tensor_;  // -1: not committed
  std::vector<int> slot_of_atom_;
  std::vector<int> phase_slot_of_atom_;
  std::vector<int> slot_of_tensor_;
  Label first_;               // before any step
  std::vector<Later> later_;  // from each step on
  std::int64_t work_ = 0;

  // State of one run.
  double cutoff_ = 0;
  Later now_{0, 0};  // behind the present step
  std::vector<Label> labels_;
  std::vector<Label> next_;
  std::vector<std::vector<LabelParent>> history_;
};

}  // namespace adamec::plan
