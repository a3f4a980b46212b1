#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "adamec/torchscript/split/split.h"

namespace adamec::tools {

struct SplitToolOptions {
  torchscript::SplitOptions split;
  std::string output;
  std::vector<std::string> diff;  // two archives to compare instead of cutting a model
  std::string granularity = "operator";
  std::string dot;
  bool list = false;
  bool dry_run = false;
  bool no_verify = false;
};

void define_options(CLI::App& app, SplitToolOptions& options);

// Throws Error(kUsage) for values and combinations that make no sense.
void check_options(SplitToolOptions& options, bool json);

// What --help says below the options.
[[nodiscard]] std::string split_details();

}  // namespace adamec::tools
