#include "adamec/predict/memory_knee.h"

#include <algorithm>
#include <cmath>

#include "adamec/base/error.h"
#include "adamec/predict/limits.h"

namespace adamec::predict {
namespace {

constexpr double kLeastStep = 1e-6;

}  // namespace

MemoryKnee::MemoryKnee(const google::protobuf::RepeatedPtrField<v1::KneePoint>& points,
                       const std::string& field) {
  for (const v1::KneePoint& point : points) {
    const bool first = points_.empty();
    const double share = first ? 0 : points_.back().share + kLeastStep;
    const double log_slowdown = first ? 0 : points_.back().log_slowdown;
    if (!(point.share() >= share && point.share() <= 1e9) ||
        !(point.log_slowdown() >= log_slowdown && point.log_slowdown() <= kMostLog)) {
      fail("{}: {} at {}, expected ascending numbers up to {}", field, point.log_slowdown(),
           point.share(), kMostLog);
    }
    points_.push_back({point.share(), point.log_slowdown()});
  }
}

double MemoryKnee::log_slowdown(double share) const {
  if (points_.empty()) return 0;
  const auto after = std::find_if(points_.begin(), points_.end(),
                                  [&](const Knot& point) { return point.share >= share; });
  if (after == points_.end()) return points_.back().log_slowdown;
  if (after == points_.begin()) return after->log_slowdown;
  const Knot& before = *(after - 1);
  const double part = (share - before.share) / (after->share - before.share);
  return before.log_slowdown + part * (after->log_slowdown - before.log_slowdown);
}

}  // namespace adamec::predict
