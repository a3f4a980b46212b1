#pragma once

#include <vector>

#include "tools/adamec-plan/plan.h"

namespace adamec::tools {

// Runs adamec-bundle, which needs LibTorch, to write --bundle. `atlas`: the bytes of the atlas
// whose plans these are; empty for one plan. Its error message is on stderr when it fails; the
// result is its exit code.
[[nodiscard]] int make_bundle(const PlanInput& input, const PlanConfig& config,
                              const std::vector<plan::Plan>& plans, const std::string& atlas);

}  // namespace adamec::tools
