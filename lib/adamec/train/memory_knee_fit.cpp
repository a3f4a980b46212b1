#include "adamec/train/memory_knee_fit.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace adamec::train {
namespace {

constexpr double kLeastStep = 1e-6;

// Points that share one value of the curve.
struct Pool {
  double first_share;
  double last_share;
  double sum;
  double count;

  double mean() const { return sum / count; }
};

}  // namespace

void fit_memory_knee(const std::vector<Pressure>& pressures, v1::Predictor& predictor) {
  std::vector<std::pair<double, double>> points;  // share, log ratio
  for (const Pressure& pressure : pressures) {
    points.emplace_back(pressure.needed_bytes / pressure.limit_bytes,
                        std::max(0.0, std::log(pressure.ratio)));
  }
  std::sort(points.begin(), points.end());
  std::vector<Pool> pools;
  for (const auto& [share, log_ratio] : points) {
    pools.push_back({share, share, log_ratio, 1});
    while (pools.size() > 1) {
      Pool& before = pools[pools.size() - 2];
      const Pool& last = pools.back();
      const bool apart = last.first_share > before.last_share + kLeastStep;
      if (apart && before.mean() <= last.mean()) break;
      before = {before.first_share, last.last_share, before.sum + last.sum,
                before.count + last.count};
      pools.pop_back();
    }
  }
  const auto add = [&](double share, double log_slowdown) {
    v1::KneePoint& point = *predictor.add_memory_knee();
    point.set_share(share);
    point.set_log_slowdown(log_slowdown);
  };
  for (const Pool& pool : pools) {
    add(pool.first_share, pool.mean());
    if (pool.last_share > pool.first_share + kLeastStep) add(pool.last_share, pool.mean());
  }
}

}  // namespace adamec::train
