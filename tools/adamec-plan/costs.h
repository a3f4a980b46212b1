#pragma once

#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/plan/context/context.h"
#include "adamec/predict/predictor.h"
#include "adamec/v1/costs.pb.h"

namespace adamec::tools {

struct PredictedCosts {
  v1::CostGraph message;
  std::vector<std::string> warnings;    // a predictor of a different host, operators it never saw
  std::vector<std::string> mismatches;  // the part of them that --strict refuses
  std::vector<std::string> files;       // predictors that were read
};

// What every atom of the archive costs on every tier of the context.
//
// An atom's latency is the predictor's `quantile` (0.5: its median), as a part of one block with
// its producers, times the tier's slowdown; entering a block is the tier's block_overhead_ms. The
// model's inputs lie on the context's input tier. Shared weights are deployed beforehand: they
// never travel, and their bytes count for each atom that uses them. A part of the result that does
// not depend on the inputs is known beforehand and does not travel either.
[[nodiscard]] PredictedCosts predict_costs(const archive::Reader& archive,
                                           const plan::Context& context, double quantile);

}  // namespace adamec::tools
