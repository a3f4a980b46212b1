#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

#include "adamec/plan/context/context.h"

namespace adamec::plan {

// The section `atlas` of a context file: what changes at run time, and how far.
//
//   atlas:
//     bandwidth: 0.1Mbit/s..1000Mbit/s        # of the first link; others keep their proportion
//     latency: {phone->edge: 1ms..50ms}       # link by link, or one range for all; so bandwidths
//     load: {phone: 0..0.9}                   # cpu_load of a tier
//     slowdown: {edge: 0.25..2}               # factor on a tier's latencies
//     memory: {phone: 16MiB..64MiB}           # of one tier
//     switching: {bandwidth: 50MB/s, runs: 20}
//     tolerance: 0.01                         # leave out plans that save less than this share
//
// switching.bandwidth: weights are loaded at this rate (or {phone: ...}); switching.runs: how many
// runs a context is expected to last.
//
// Knots of loads have no latencies yet; bases of slowdowns are the context's. Throws Error
// "file:line: field: reason".
[[nodiscard]] v1::AtlasRanges parse_atlas_ranges(const YAML::Node& node, const Context& context);

// The loads at which latencies are predicted: the ends, and multiples of 0.1 between them.
[[nodiscard]] std::vector<double> load_knots(double low, double high);

}  // namespace adamec::plan
