#pragma once

#include "adamec/v1/predictor.pb.h"

namespace adamec::testing {

// A valid predictor, small enough to calculate by hand: relu costs 10 us at one thread (15 us from
// 100 MACs), unseen operators 100 us; loads 0.5 and 0.8 multiply by e^0.5 and e^0.8.
v1::Predictor small_predictor();

}  // namespace adamec::testing
