#pragma once

#include "tools/adamec-plan/plan.h"

namespace adamec::tools {

// Makes the atlas of the input's ranges and writes it, its pictures and its bundle as asked for.
// The exit code is that of adamec-bundle, when there is a bundle.
[[nodiscard]] int run_atlas(const PlanInput& input, const PlanConfig& config,
                            const CommonOptions& common, const Console& console);

// Answers --lookup.
void run_lookup(const PlanConfig& config, const CommonOptions& common);

}  // namespace adamec::tools
