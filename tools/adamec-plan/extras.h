#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace adamec::tools {

// Options of what can be made besides one plan: atlases, look-ups, bundles, pictures, explanations.
struct ExtraOptions {
  bool atlas = false;
  std::string lookup;           // an atlas file
  std::vector<std::string> at;  // NAME=VALUE
  int current = -1;
  std::string bundle;
  std::string html;
  std::string svg;
  bool explain = false;

  [[nodiscard]] bool alone() const { return !lookup.empty(); }  // reads neither archive nor costs
};

void add_extra_options(CLI::App& app, ExtraOptions& options);

// Throws Error(kUsage) naming the options that do not go together. `costs`: a cost graph is planned
// instead of an archive.
void check_extras(const ExtraOptions& options, bool costs, const std::string& archive);

}  // namespace adamec::tools
