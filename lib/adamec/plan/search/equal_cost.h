#pragma once

#include <algorithm>
#include <cassert>
#include <vector>

// Plans of equal cost are not equally good: each block is a file to load and a start, each move a
// wait. Of those that nothing else tells apart the one of least PlanSize is taken.
namespace adamec::plan {

// Two placements whose costs differ by less than this factor count as equally good.
inline constexpr double kProofTolerance = 1e-10;

// What a placement may cost and still be as good as one of cost `least`.
[[nodiscard]] inline double equal_cost_limit(double least) { return least * (1 + kProofTolerance); }

// Of those items that cost least, one of the smallest; the first of several. `items` is not empty.
template <typename Item, typename CostOf, typename SizeOf>
[[nodiscard]] const Item& simplest(const std::vector<Item>& items, CostOf cost_of, SizeOf size_of) {
  assert(!items.empty());
  double least = cost_of(items.front());
  for (const Item& item : items) least = std::min(least, cost_of(item));
  const Item* best = nullptr;
  for (const Item& item : items) {
    if (cost_of(item) > equal_cost_limit(least)) continue;
    if (best == nullptr || size_of(item) < size_of(*best)) best = &item;
  }
  return *best;
}

}  // namespace adamec::plan
