#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adamec/graph/atom_graph.h"
#include "adamec/v1/costs.pb.h"

namespace adamec::plan {

struct Tier {
  std::string name;
  std::uint64_t memory_bytes = 0;  // 0: unlimited
  double power_watts = 0;          // while it computes
  double block_overhead_ms = 0;    // of every block, on top of its atoms' latencies
  // Only for objectives other than latency: what a byte of the largest activation costs.
  double cost_per_activation_byte = 0;
};

// A directed connection between two tiers.
struct Link {
  double bytes_per_second = 0;
  double latency_ms = 0;                 // of one move of control
  double serialisation_ms_per_byte = 0;  // packing and unpacking
  double joules_per_byte = 0;
  // Only for objectives other than latency: what routes are chosen by, instead of the time.
  std::optional<double> route_cost_per_byte;

  [[nodiscard]] double cost_per_byte() const {
    return 1e3 / bytes_per_second + serialisation_ms_per_byte;
  }
  [[nodiscard]] double transfer_ms(std::uint64_t bytes) const {
    const double size = static_cast<double>(bytes);
    return size / bytes_per_second * 1e3 + size * serialisation_ms_per_byte;
  }
};

struct AtomCost {
  std::uint64_t weight_bytes = 0;
  std::uint64_t activation_bytes = 0;
  std::vector<double> latency_ms;  // one per tier, the tier's slowdown included
  std::vector<char> allowed;       // one per tier: whether the atom may run there
};

struct Endpoint {
  int tensor = -1;
  int tier = -1;  // outputs: -1 when the result may stay where it is produced
};

// What runs where at what cost: all the planner knows. A plain value, checked when it is made.
struct CostGraph {
  std::string name;
  std::string source;  // the file it came from, for messages
  std::vector<Tier> tiers;
  std::vector<std::optional<Link>> links;  // row `from`, column `to`
  graph::AtomGraph graph;
  std::vector<AtomCost> atoms;  // in the order of graph.atoms()
  std::vector<Endpoint> inputs;
  std::vector<Endpoint> outputs;
  std::vector<int> shared_state;  // atoms that run on one tier, whichever it is: they share state

  [[nodiscard]] int tier_count() const { return static_cast<int>(tiers.size()); }
  [[nodiscard]] int atom_count() const { return static_cast<int>(atoms.size()); }
  [[nodiscard]] const std::optional<Link>& link(int from, int to) const {
    return links[static_cast<std::size_t>(from) * tiers.size() + static_cast<std::size_t>(to)];
  }
  [[nodiscard]] std::optional<int> find_tier(const std::string& name) const;
};

// Checks everything a file may get wrong. Throws Error "source: field: reason".
[[nodiscard]] CostGraph make_cost_graph(const v1::CostGraph& message, const std::string& source);

// Reads proto3 JSON; unknown keys are errors. "-" is standard input.
[[nodiscard]] v1::CostGraph read_cost_message(const std::string& path);
[[nodiscard]] v1::CostGraph parse_cost_message(const std::string& text, const std::string& source);
[[nodiscard]] CostGraph read_cost_graph(const std::string& path);

// The same format, for people: one line per tier, link, tensor and atom.
[[nodiscard]] std::string cost_message_json(const v1::CostGraph& message);

}  // namespace adamec::plan
