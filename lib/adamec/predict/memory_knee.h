#pragma once

#include <string>
#include <vector>

#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// Latency under memory pressure: log S over the share of the limit that weights and activations
// need. Flat until the knee, then steep (AlexNet on a Raspberry Pi: 1.1 s at 200 MB, 21 s at 140).
class MemoryKnee {
 public:
  MemoryKnee() = default;
  // Throws Error, prefixed by `field`, unless points ascend in both numbers.
  MemoryKnee(const google::protobuf::RepeatedPtrField<v1::KneePoint>& points,
             const std::string& field);

  [[nodiscard]] bool empty() const { return points_.empty(); }
  // Linear between points, constant before the first and after the last; never below 0.
  [[nodiscard]] double log_slowdown(double share) const;

 private:
  struct Knot {
    double share;
    double log_slowdown;
  };
  std::vector<Knot> points_;
};

}  // namespace adamec::predict
