#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adamec/v1/costs.pb.h"

namespace adamec::plan {

// Everything that changes at run time, as people write it in a context file (YAML):
//
//   tiers:
//     - {name: phone, predictor: phone.predictor, threads: 1, cpu_load: 0.5, memory: 64MiB}
//     - {name: edge, predictor: edge.predictor, threads: 2, slowdown: 0.25}
//   links:
//     - {from: phone, to: edge, bandwidth: 20Mbit/s, latency: 5ms}
//     - {from: edge, to: phone, bandwidth: 40Mbit/s, latency: 5ms, serialisation: 1GB/s}
//   input: phone
//   output: phone                # absent: the result may stay where it is produced
//   constraints: {deadline: 100ms, keep_input_on: phone, pin: {"conv1*": phone}}
//   atlas: {bandwidth: 0.1Mbit/s..1000Mbit/s}   # see atlas_section.h
struct TierContext {
  std::string name;
  std::string predictor;  // path; relative ones are taken from the context file's folder
  std::string host;       // host id the predictor must come from; empty: any
  unsigned threads = 1;
  double cpu_load = 0;             // 0..1
  double slowdown = 1;             // predicted latencies are multiplied by it; > 0
  std::uint64_t memory_bytes = 0;  // 0: unlimited
  double power_watts = 0;
};

struct LinkContext {
  std::string from;
  std::string to;
  double bytes_per_second = 0;
  double latency_ms = 0;
  double joules_per_byte = 0;
  double serialisation_ms_per_byte = 0;  // packing and unpacking of tensors that are sent
};

struct PinRule {
  std::string pattern;  // of atom ids, as a shell would match file names
  std::string tier;
};

struct Constraints {
  std::optional<double> deadline_ms;
  std::string keep_input_on;  // every atom that reads an input of the model runs there
  std::vector<PinRule> pins;
};

struct Context {
  std::string source;  // the file's name in messages
  std::vector<TierContext> tiers;
  std::vector<LinkContext> links;
  std::string input;
  std::string output;  // empty: anywhere
  Constraints constraints;
  std::optional<v1::AtlasRanges> atlas;
};

// Throws Error "file:line: field: reason"; unknown keys are errors that name the keys that exist.
// "-" is standard input.
[[nodiscard]] Context read_context(const std::string& path);
// The same for a text; relative paths are taken from `folder`.
[[nodiscard]] Context parse_context(const std::string& text, const std::string& source,
                                    const std::string& folder);

// Restricts the atoms' tiers in `costs` to what the constraints allow (AtomCost::allowed later).
// Throws Error for patterns that match no atom and atoms pinned to two tiers.
void apply_pins(const Context& context, v1::CostGraph& costs);

}  // namespace adamec::plan
