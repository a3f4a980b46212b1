#pragma once

#include <limits>
#include <vector>

#include "adamec/plan/cost/evaluate.h"
#include "adamec/plan/search/pipeline.h"

// The dynamic programming behind find_pipeline(). Only for this room.
namespace adamec::plan {

// Tiers that nothing tells apart.
struct TierKind {
  std::vector<int> tiers;
  std::vector<double> compute_ms;  // of the first i atoms
  std::vector<int> forbidden;      // of the first i atoms, those that may not run here
  int stride = 0;                  // in the code of used tiers

  [[nodiscard]] int count() const { return static_cast<int>(tiers.size()); }
};

// Twice over the same states: first for the time of the slowest stage, then, of the pipelines that
// are as fast, for the fewest stages and moves.
class PipelineSearch {
 public:
  PipelineSearch(const Evaluator& evaluator, const PipelineOptions& options);

  [[nodiscard]] Pipeline run();

 private:
  using Bytes = unsigned __int128;  // sums of tensors' sizes may exceed 64 bits
  struct Way {
    double slowest = std::numeric_limits<double>::infinity();
    int moves = 0;       // before the first stage: 1 when it is not where the inputs are
    int from = -1;       // atoms done before the last stage
    int last_kind = -1;  // of the stage before
  };
  struct Stretch {
    int tier;
    int first;
    int last;
  };

  void find_cuts();
  void find_kinds();
  bool alike(int a, int b) const;
  bool runs_anything(int tier) const;
  void extend_all();
  void extend(int done, int code, int last_kind, int kind);
  void finish(double slowest, int code, int kind);
  double between(int from_kind, int to_kind) const;
  double bytes_ms(int from, int to, Bytes bytes) const;
  double return_ms(int tier) const {
    return sink_ < 0 ? 0 : bytes_ms(tier, sink_, cut_bytes_[atoms_]);
  }
  Bytes stage_bytes(std::uint64_t weights, std::uint64_t activation, int first, int last) const {
    return weights + activation +
           static_cast<Bytes>(buffers_) * (cut_bytes_[first] + cut_bytes_[last]);
  }
  // Whether a pipeline with such a stage is still wanted; false for NaN, too: no bytes over no
  // link.
  bool is_wanted(double slowest) const { return second_ ? slowest <= limit_ : slowest < best_; }
  Way& way(int done, int code, int kind) {
    return ways_[(static_cast<std::size_t>(done) * codes_ + code) * kinds_.size() + kind];
  }
  int used(int code, int kind) const {
    return code / kinds_[kind].stride % (kinds_[kind].count() + 1);
  }
  int stages(int code) const;
  std::vector<Stretch> stretches(int code, int kind);
  int moves(const std::vector<Stretch>& stretches) const;
  void put_in_order(std::vector<Stretch>& stretches) const;
  bool runs(const std::vector<Stretch>& stretches) const;
  Pipeline measure(const std::vector<Stretch>& stretches) const;
  [[noreturn]] void fail_infeasible() const;

  const CostGraph& costs_;
  const TierRoutes& routes_;
  const std::vector<int>& order_;
  int atoms_;
  int buffers_;
  int source_;
  int sink_;
  std::vector<Bytes> cut_bytes_;  // before the i-th atom; inputs first, results last
  std::vector<TierKind> kinds_;
  int codes_ = 1;
  std::uint64_t largest_activation_ = 0;
  std::vector<Way> ways_;
  bool second_ = false;
  double limit_ = 0;  // in the second pass
  double best_ = std::numeric_limits<double>::infinity();
  PlanSize best_size_;
  int best_code_ = -1;
  int best_kind_ = -1;
};

}  // namespace adamec::plan
