#include <algorithm>
#include <limits>
#include <tuple>

#include "adamec/plan/search/heuristics.h"
#include "adamec/plan/search/relaxation.h"

namespace adamec::plan {
namespace {

int edge_tier(const Evaluator& evaluator) {
  return evaluator.costs().tier_count() == 1 ? 0 : 1 - evaluator.control().start_tier();
}

// Cost of "a prefix of the topological order on the device, the rest on the edge", one atom at a
// time, in constant work per atom and tensor end.
class SingleCuts {
 public:
  explicit SingleCuts(const Evaluator& evaluator)
      : evaluator_(evaluator),
        costs_(evaluator.costs()),
        device_(evaluator.control().start_tier()),
        edge_(edge_tier(evaluator)),
        placement_(edge_only(evaluator)),
        on_device_(costs_.graph.tensors().size(), 0) {
    for (std::size_t i = 0; i < costs_.atoms.size(); ++i) add_atom(static_cast<int>(i), edge_, 1);
    for (std::size_t i = 0; i < on_device_.size(); ++i) add_transfer(static_cast<int>(i), 1);
    find_memory();
  }

  Placement best() {
    const auto& order = costs_.graph.topological_order();
    auto best_score = score(0);
    std::size_t best = 0;
    for (std::size_t length = 1; length <= order.size(); ++length) {
      move_to_device(order[length - 1]);
      if (const auto candidate = score(length); candidate < best_score) {
        best_score = candidate;
        best = length;
      }
    }
    for (std::size_t i = best; i < order.size(); ++i) placement_[order[i]] = edge_;
    return placement_;
  }

 private:
  void add_atom(int atom, int tier, int sign) {
    compute_ms_ += sign * costs_.atoms[atom].latency_ms[tier];
    if (!costs_.atoms[atom].allowed[tier]) obstacles_ += sign;
  }

  void add_transfer(int tensor, int sign) {
    const graph::Tensor& description = costs_.graph.tensors()[tensor];
    const int from =
        description.producer < 0 ? evaluator_.input_tier(tensor) : placement_[description.producer];
    const int consumers = static_cast<int>(description.consumers.size());
    const int elsewhere = from == device_ ? consumers - on_device_[tensor] : on_device_[tensor];
    const bool returned =
        evaluator_.output_tier(tensor) >= 0 && evaluator_.output_tier(tensor) != from;
    if (elsewhere == 0 && !returned) return;
    if (const auto& link = costs_.link(from, 1 - from)) {
      transfer_ms_ += sign * link->transfer_ms(description.bytes);
    } else {
      obstacles_ += sign;
    }
  }

  void move_to_device(int atom) {
    std::vector<int> touched = costs_.graph.atoms()[atom].inputs;
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    const std::size_t inputs = touched.size();
    const auto& outputs = costs_.graph.atoms()[atom].outputs;
    touched.insert(touched.end(), outputs.begin(), outputs.end());
    add_atom(atom, edge_, -1);
    for (int tensor : touched) add_transfer(tensor, -1);
    placement_[atom] = device_;
    for (std::size_t i = 0; i < inputs; ++i) ++on_device_[touched[i]];
    for (int tensor : touched) add_transfer(tensor, 1);
    add_atom(atom, device_, 1);
  }

  // For every length of the prefix: whether both sides fit into memory.
  void find_memory() {
    const auto& order = costs_.graph.topological_order();
    fits_.assign(order.size() + 1, 1);
    const auto scan = [&](int tier, bool forward) {
      std::uint64_t weights = 0;
      std::uint64_t activation = 0;
      for (std::size_t count = 1; count <= order.size(); ++count) {
        const AtomCost& atom = costs_.atoms[order[forward ? count - 1 : order.size() - count]];
        weights += atom.weight_bytes;
        activation = std::max(activation, atom.activation_bytes);
        const bool fits = evaluator_.excess_bytes(tier, weights + activation) == 0;
        if (!fits) fits_[forward ? count : order.size() - count] = 0;
      }
    };
    scan(device_, true);
    scan(edge_, false);
  }

  // Compares like (cannot run, milliseconds).
  std::tuple<bool, double> score(std::size_t length) const {
    const ControlGraph& control = evaluator_.control();
    int moves = 0;
    if (control.has_mixed_endpoints()) {
      moves = control.moves(placement_);
    } else {
      const bool uses_edge = length < placement_.size();
      const int last = uses_edge ? edge_ : device_;
      moves = (uses_edge ? 1 : 0) + (control.end_tier() >= 0 && control.end_tier() != last ? 1 : 0);
    }
    const double handoff = control.handoff_ms(moves);
    const bool obstacle =
        obstacles_ > 0 || !fits_[length] || handoff == std::numeric_limits<double>::infinity();
    return {obstacle, compute_ms_ + transfer_ms_ + handoff};
  }

  const Evaluator& evaluator_;
  const CostGraph& costs_;
  int device_;
  int edge_;
  Placement placement_;
  std::vector<int> on_device_;  // per tensor: consumers there
  std::vector<char> fits_;      // per length of the prefix
  double compute_ms_ = 0;
  double transfer_ms_ = 0;
  int obstacles_ = 0;  // atoms where they may not run, transfers without a link
};

Placement relaxed(const Evaluator& evaluator, Relaxation::Model model) {
  if (evaluator.costs().tier_count() == 1) return device_only(evaluator);
  return Relaxation(evaluator, model).solve(initial_pins(evaluator)).placement;
}

}  // namespace

Placement device_only(const Evaluator& evaluator) {
  return Placement(evaluator.costs().atoms.size(), evaluator.control().start_tier());
}

Placement edge_only(const Evaluator& evaluator) {
  if (evaluator.costs().tier_count() > 2) return best_pair(evaluator, edge_only);
  return Placement(evaluator.costs().atoms.size(), edge_tier(evaluator));
}

Placement neurosurgeon(const Evaluator& evaluator) {
  if (evaluator.costs().tier_count() > 2) return best_pair(evaluator, neurosurgeon);
  if (evaluator.costs().tier_count() == 1) return device_only(evaluator);
  return SingleCuts(evaluator).best();
}

Placement dads(const Evaluator& evaluator) {
  if (evaluator.costs().tier_count() > 2) return best_pair(evaluator, dads);
  return relaxed(evaluator, Relaxation::Model::kOneAuxiliary);
}

Placement min_cut(const Evaluator& evaluator) {
  return relaxed(evaluator, Relaxation::Model::kExact);
}

}  // namespace adamec::plan
