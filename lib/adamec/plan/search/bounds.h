#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "adamec/plan/search/relaxation.h"

namespace adamec::plan {

// Lower bounds of all placements under pins, tightened by better prices (Lagrangian relaxation).
class Bounds {
 public:
  // `on_placement` sees every relaxed solution on the way; no further ones are looked for when
  // `enough` returns true.
  Bounds(const Evaluator& evaluator, std::function<void(const Placement&)> on_placement,
         std::function<bool()> enough);

  struct Bound {
    double bound = 0;             // infinite: no placement keeps the pins
    Prices prices;                // that gave the bound
    Placement placement;          // the relaxed solution under these prices
    Placement overfull;           // the last one that did not fit into memory, if any
    double free_moves_bound = 0;  // bound without any price for moves and without forced moves
    Placement free_placement;     // its solution
  };

  // Prices to begin with: one unit of flow split evenly over the branches of the graph.
  [[nodiscard]] Prices initial_prices() const;
  // Improves `prices` in at most `rounds` steps; stops early when the bound reaches `cutoff`.
  [[nodiscard]] Bound tighten(const std::vector<int>& pins, const Prices& prices, int rounds,
                              double cutoff);

  // Solves for placements that leave room for the largest activation of all, for their own sake.
  void propose_fitting(const std::vector<int>& pins, const Prices& prices);

  [[nodiscard]] std::int64_t work() const { return work_; }
  [[nodiscard]] bool moves_cost() const { return moves_cost_; }

  // The cut under these pins and prices, its bound (Bound::bound) and what it leaves of the
  // network: any placement costs the bound plus what it cuts of that rest, or more.
  struct Reduced {
    double bound;
    Relaxation::Rest rest;
  };
  [[nodiscard]] Reduced reduce(const std::vector<int>& pins, const Prices& prices);
  [[nodiscard]] const Relaxation& relaxation() const { return relaxation_; }
  // Bytes that weights may take on each tier: its memory less the largest activation pinned there.
  [[nodiscard]] std::vector<double> room(const std::vector<int>& pins) const;

 private:
  struct Priced {
    Relaxation::Solution solution;
    double bound;
  };
  Priced solve(const std::vector<int>& pins, const Prices& prices);
  bool add_critical_path(Prices& prices, const Placement& placement, double step) const;
  void tighten_memory(const std::vector<int>& pins, int tier, double room_bytes, int rounds,
                      double cutoff, Bound& result);
  void keep_better(const Priced& priced, const Prices& prices, Bound& result) const;
  double weights_on(const Placement& placement, int tier) const;

  const Evaluator& evaluator_;
  const CostGraph& costs_;
  std::function<void(const Placement&)> on_placement_;
  std::function<bool()> enough_;
  Relaxation relaxation_;
  bool moves_cost_;
  std::int64_t work_ = 0;
};

}  // namespace adamec::plan
