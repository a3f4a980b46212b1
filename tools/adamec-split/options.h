#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "adamec/torchscript/split.h"

namespace adamec::tools {

struct SplitToolOptions {
  torchscript::SplitOptions split;
  std::string output;
  std::string dot;
  bool list = false;
  bool dry_run = false;
  bool no_verify = false;
};

void define_options(CLI::App& app, SplitToolOptions& options);

// Throws Error(kUsage) for combinations that make no sense.
void check_options(const SplitToolOptions& options, bool json);

}  // namespace adamec::tools
