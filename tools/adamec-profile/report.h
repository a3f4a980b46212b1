#pragma once

#include "tools/adamec-profile/options.h"
#include "tools/common/run_tool.h"

namespace adamec::tools {

// Prints what the sample files cover and how well the measurements repeat, one group per host; with
// --json or --csv, all samples. Throws Error unless all files are sample files. Returns the exit
// code.
[[nodiscard]] int report(const ProfileConfig& config, const CommonOptions& common,
                         const Console& console);

}  // namespace adamec::tools
