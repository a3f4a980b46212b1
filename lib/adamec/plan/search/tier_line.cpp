#include "adamec/plan/search/tier_line.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace adamec::plan {
namespace {

constexpr int kMaxPermuted = 6;

using PairCost = std::function<double(int from, int to)>;

// The tiers in the order of a row that all links form, or empty.
std::vector<int> row_of_links(const CostGraph& costs) {
  const int count = costs.tier_count();
  if (count == 2) return {0, 1};
  std::vector<std::vector<int>> neighbours(static_cast<std::size_t>(count));
  for (int a = 0; a < count; ++a) {
    for (int b = 0; b < count; ++b) {
      if (a != b && (costs.link(a, b) || costs.link(b, a))) neighbours[a].push_back(b);
    }
  }
  std::vector<int> row;
  for (int a = 0; a < count && row.empty(); ++a) {
    if (neighbours[a].size() == 1) row.push_back(a);
  }
  for (int last = -1; !row.empty();) {
    const int at = row.back();
    if (neighbours[at].size() > 2) return {};
    const auto next = std::find_if(neighbours[at].begin(), neighbours[at].end(),
                                   [&](int other) { return other != last; });
    if (next == neighbours[at].end()) break;
    last = at;
    row.push_back(*next);
  }
  return static_cast<int>(row.size()) == count ? row : std::vector<int>{};
}

// Lowers `hops` so that a way from position a to position b > a costs at most cost(a, b). Shorter
// ways come first.
void squeeze(std::vector<double>& hops, const PairCost& cost) {
  const int count = static_cast<int>(hops.size());
  for (int length = 2; length <= count; ++length) {
    for (int a = 0; a + length <= count; ++a) {
      const auto first = hops.begin() + a;
      const double sum = std::accumulate(first, first + length, 0.0);
      const double truth = cost(a, a + length);
      if (sum <= truth) continue;
      std::transform(first, first + length, first, [&](double hop) { return hop * truth / sum; });
    }
  }
}

// Hop costs from pair costs, in one direction. What is infinite counts as very expensive.
std::vector<double> squeezed(const std::vector<int>& row, bool up, const PairCost& cost) {
  const std::size_t count = row.size();
  double largest = 0;
  for (int a : row) {
    for (int b : row) largest = std::isfinite(cost(a, b)) ? std::max(largest, cost(a, b)) : largest;
  }
  const auto finite = [&](int a, int b) {
    const double ms = up ? cost(row[a], row[b]) : cost(row[b], row[a]);
    return std::isfinite(ms) ? ms : 100 * largest;
  };
  std::vector<double> hops;
  for (std::size_t b = 0; b + 1 < count; ++b) {
    hops.push_back(finite(static_cast<int>(b), static_cast<int>(b) + 1));
  }
  squeeze(hops, finite);
  return hops;
}

// Routes to a higher and a lower position may share links: both hops together cost no more than the
// true tree.
void squeeze_trees(TierLine& line, const TierRoutes& routes) {
  const int count = static_cast<int>(line.tiers.size());
  for (int home = 1; home + 1 < count; ++home) {
    for (int low = 0; low < home; ++low) {
      for (int high = home + 1; high < count; ++high) {
        const int from = line.tiers[home];
        if (!routes.reachable(from, line.tiers[low]) || !routes.reachable(from, line.tiers[high])) {
          continue;
        }
        const TierSet needed = TierSet{1} << line.tiers[low] | TierSet{1} << line.tiers[high];
        double truth = 0;
        routes.for_each_hop(from, needed, [&](const TierRoutes::Hop& hop) {
          truth += routes.ms_per_byte(hop.from, hop.to);
        });
        const auto up = line.up_ms_per_byte.begin();
        const auto down = line.down_ms_per_byte.begin();
        const double sum = std::accumulate(up + home, up + high, 0.0) +
                           std::accumulate(down + low, down + home, 0.0);
        if (sum <= truth) continue;
        const auto scale = [&](double hop) { return hop * truth / sum; };
        std::transform(up + home, up + high, up + home, scale);
        std::transform(down + low, down + home, down + low, scale);
      }
    }
  }
}

// How much of the true costs the row keeps; higher is better.
double quality(const TierLine& line, const TierRoutes& routes) {
  double total = 0;
  const int count = static_cast<int>(line.tiers.size());
  for (int a = 0; a < count; ++a) {
    for (int b = a + 1; b < count; ++b) {
      const auto share = [&](const std::vector<double>& hops, double truth) {
        const double sum = std::accumulate(hops.begin() + a, hops.begin() + b, 0.0);
        return truth > 0 && std::isfinite(truth) ? sum / truth : 1;
      };
      total += share(line.up_ms_per_byte, routes.ms_per_byte(line.tiers[a], line.tiers[b]));
      total += share(line.down_ms_per_byte, routes.ms_per_byte(line.tiers[b], line.tiers[a]));
    }
  }
  return total;
}

}  // namespace

TierLine::TierLine(const CostGraph& costs, const TierRoutes& routes) {
  const PairCost rate = [&](int a, int b) { return routes.ms_per_byte(a, b); };
  const PairCost move = [&](int a, int b) { return routes.move_ms(a, b); };
  const auto fill = [&](const std::vector<int>& row, const auto& hops_of) {
    tiers = row;
    up_ms_per_byte = hops_of(row, true, rate);
    down_ms_per_byte = hops_of(row, false, rate);
    up_move_ms = hops_of(row, true, move);
    down_move_ms = hops_of(row, false, move);
  };
  const std::vector<int> row = row_of_links(costs);
  exact = !row.empty();
  if (exact) {
    fill(row, [](const std::vector<int>& of, bool up, const PairCost& cost) {
      std::vector<double> hops;
      for (std::size_t b = 0; b + 1 < of.size(); ++b) {
        hops.push_back(up ? cost(of[b], of[b + 1]) : cost(of[b + 1], of[b]));
      }
      return hops;
    });
  } else {
    std::vector<int> candidate(costs.tiers.size());
    std::iota(candidate.begin(), candidate.end(), 0);
    std::vector<int> best = candidate;
    double best_quality = -1;
    const auto consider = [&] {
      fill(candidate, squeezed);
      squeeze_trees(*this, routes);
      if (const double kept = quality(*this, routes); kept > best_quality * (1 + 1e-12)) {
        best_quality = kept;
        best = candidate;
      }
    };
    do {
      if (candidate.front() <= candidate.back()) consider();  // a row and its mirror are alike
    } while (costs.tier_count() <= kMaxPermuted &&
             std::next_permutation(candidate.begin(), candidate.end()));
    fill(best, squeezed);
    squeeze_trees(*this, routes);
  }
  position.resize(tiers.size());
  for (std::size_t at = 0; at < tiers.size(); ++at) position[tiers[at]] = static_cast<int>(at);
}

}  // namespace adamec::plan
