#pragma once

#include <string>
#include <vector>

#include "adamec/measure/contexts.h"

namespace adamec::tools {

// The contexts of a YAML file:
//
//   contexts:
//     - {threads: [1, 2], cpu_load: [0, 0.5]}     # lists: each with each
//     - {threads: 1, memory_limit: 64MiB}
//     - {threads: 2, cpu_quota: 0.5}
//
// What an entry leaves out is as in `defaults`. Throws Error naming file, line and field.
[[nodiscard]] std::vector<v1::Context> read_contexts(const std::string& path,
                                                     const measure::ContextLists& defaults);

}  // namespace adamec::tools
