#pragma once

#include "tools/adamec-profile/options.h"
#include "tools/adamec-profile/summary.h"
#include "tools/common/run_tool.h"

namespace adamec::tools {

// Measures the work list and writes the output file. Warns about atoms that fail, about a budget
// that is too small and about a machine that is not what the contexts ask for. Throws Error when
// no atom could be measured.
[[nodiscard]] Summary profile(const WorkList& work, const ProfileConfig& config,
                              const CommonOptions& common, const Console& console);

}  // namespace adamec::tools
