// The second stage of the search: among placements that cost as much, the one with the fewest
// blocks and moves.
#include <algorithm>
#include <utility>

#include "adamec/plan/search/search.h"

namespace adamec::plan {
namespace {

// The second stage may take a part of the work that the first has taken, at most so much, and at
// least enough for all placements of a small graph. It does not begin where that is a few cuts.
constexpr std::int64_t kFewCuts = 5;
constexpr std::int64_t kPart = 4;
constexpr std::int64_t kMostWork = 500'000;
constexpr std::int64_t kLeastWork = 100'000;
constexpr std::int64_t kLeastWorkTimesSize = 20'000'000;
constexpr double kMove = 0x1p-20;  // in blocks

CostGraph counting(CostGraph costs) {
  for (Tier& tier : costs.tiers) tier.block_overhead_ms = 1;
  for (auto& link : costs.links) {
    if (link) link->latency_ms = kMove;
  }
  return costs;
}

// The parts of a block that nothing inside it joins.
std::vector<std::vector<int>> components(const graph::AtomGraph& graph,
                                         const std::vector<int>& atoms) {
  std::vector<char> left(graph.atoms().size(), 0);
  for (int atom : atoms) left[atom] = 1;
  std::vector<std::vector<int>> result;
  for (int atom : atoms) {
    if (!left[atom]) continue;
    left[atom] = 0;
    std::vector<int> part{atom};
    for (std::size_t i = 0; i < part.size(); ++i) {
      for (const auto* near : {&graph.predecessors(part[i]), &graph.successors(part[i])}) {
        for (int other : *near) {
          if (std::exchange(left[other], 0)) part.push_back(other);
        }
      }
    }
    result.push_back(std::move(part));
  }
  return result;
}

}  // namespace

SizeBound::SizeBound(const CostGraph& costs) : costs_(counting(costs)), control_(costs_) {}

bool SizeBound::reaches(const std::vector<int>& pins, const PlanSize& size) const {
  return control_.forced_ms(pins) > size.blocks + (size.moves - 0.5) * kMove;
}

bool Search::is_too_large(const std::vector<int>& pins) const {
  return size_bound_ && size_bound_->reaches(pins, incumbent_.size());
}

// Whether the block, or a part of it, costs no more on a different tier, in a smaller placement.
bool Search::merge_block(const Block& block) {
  const PlanSize before = incumbent_.size();
  std::vector<std::vector<int>> parts = components(costs_.graph, block.atoms);
  if (parts.size() > 1) parts.push_back(block.atoms);
  for (const std::vector<int>& part : parts) {
    for (int tier = 0; tier < costs_.tier_count(); ++tier) {
      Placement moved = incumbent_.placement();
      for (int atom : part) moved[atom] = tier;
      if (tier != block.tier) consider(moved);
      if (incumbent_.size() < before) return true;
    }
  }
  return false;
}

void Search::merge_blocks() {
  for (bool smaller = true; smaller;) {
    const auto blocks = goal_.executed->evaluate(incumbent_.placement()).blocks;
    smaller = std::any_of(blocks.begin(), blocks.end(),
                          [&](const Block& block) { return merge_block(block); });
  }
}

void Search::find_smallest() {
  const bool proven = exhausted();
  incumbent_.prefer_small();
  size_bound_.emplace(goal_.executed->costs());
  if (is_too_large(root_pins_)) return;
  merge_blocks();
  if (!proven) return;  // there may be cheaper ones to spend work on
  const std::int64_t done = bounds_.work() + label_work_;
  const std::int64_t size = std::max<std::int64_t>(bounds_.relaxation().size(), 1);
  const std::int64_t least = std::min(kLeastWork, kLeastWorkTimesSize / size);
  const std::int64_t budget = std::clamp(done / kPart, least, kMostWork);
  if (budget < kFewCuts * size) return;
  work_limit_ = std::min(limits_.work, done + budget);
  open_ = {};
  floor_ = 0;
  const Subproblem root{0, created_++, {}, root_prices_};
  open_.push(root);
  search_open();
}

}  // namespace adamec::plan
