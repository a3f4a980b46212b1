#pragma once

#include <string>

#include "adamec/v1/archive.pb.h"
#include "tools/adamec-split/options.h"

namespace adamec::tools {

// Whether the file is an atom archive rather than a model.
[[nodiscard]] bool is_archive(const std::string& path);

// Writes table, JSON and graph as asked for.
void show(const SplitToolOptions& options, bool json, const v1::Manifest& manifest);

// --diff: prints what changed and returns the exit code.
[[nodiscard]] int compare(const SplitToolOptions& options, bool json);

}  // namespace adamec::tools
