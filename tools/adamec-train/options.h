#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adamec/train/cross_validation.h"

namespace adamec::tools {

// The command line as given; every option is documented once, in add_options().
struct TrainConfig {
  std::vector<std::string> samples;
  std::string output;  // empty: only validate
  std::string validate;
  std::string base;  // predictor to adapt; empty: train from scratch
  std::string html;
  std::string host;
  std::uint64_t seed = 1;
  std::optional<double> max_error_percent;

  // What --validate asks for; nothing when it was not given or is "none".
  [[nodiscard]] std::optional<train::HoldOut> hold_out() const;
  // Whether --validate says that nothing is said of accuracy.
  [[nodiscard]] bool is_unvalidated() const { return validate == "none"; }
};

void add_options(CLI::App& app, TrainConfig& config);

// What --help says below the options.
[[nodiscard]] std::string help_details();

// Throws Error(kUsage) for options that make no sense together.
void check_options(const TrainConfig& config, bool json);

}  // namespace adamec::tools
