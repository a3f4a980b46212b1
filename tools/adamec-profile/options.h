#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adamec/machine/affinity.h"
#include "adamec/measure/work_items.h"

namespace adamec::tools {

// The command line as given; every option is documented once, in add_options().
struct ProfileOptions {
  std::vector<std::string> archives;
  std::string output;
  std::string threads = "1";
  std::string cpu_load = "0";
  std::string memory_limit;
  std::string cpu_quota;
  std::string frequency;
  std::string device;
  std::string contexts;
  std::string cpus;
  std::string budget;
  std::string only;
  std::string shard = "1/1";
  std::vector<std::string> synthesize;
  unsigned blocks = 12;
  unsigned visits = 0;
  std::uint64_t seed = 0;
  bool atoms_only = false;
  bool list = false;
  bool resume = false;
  bool report = false;
  bool csv = false;
};

// "conv2d:500"
struct Synthesis {
  std::string kind;
  std::size_t count = 0;
};

// The same, understood.
struct ProfileConfig {
  std::vector<std::string> archives;  // with `report`: sample files
  std::string output;                 // empty: print the latencies
  std::vector<v1::Context> contexts;
  std::string device;  // of all contexts; empty: the CPU
  std::optional<machine::CpuList> cpus;
  measure::Selection selection;
  std::vector<Synthesis> synthesize;
  double budget_us = 0;
  unsigned visits = 0;
  std::uint64_t seed = 0;
  bool list = false;
  bool resume = false;
  bool report = false;
  bool csv = false;
};

void add_options(CLI::App& app, ProfileOptions& options);
// What --help says below the options.
[[nodiscard]] std::string option_details();

// Throws Error(kUsage) naming the option.
[[nodiscard]] ProfileConfig understand(const ProfileOptions& options, bool json);

}  // namespace adamec::tools
