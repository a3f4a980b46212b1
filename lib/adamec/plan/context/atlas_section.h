#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

#include "adamec/plan/context/context.h"

namespace adamec::plan {

// The section `atlas` of a context file: what changes at run time, and how far.
//
//   atlas:
//     bandwidth: 0.1Mbit/s..1000Mbit/s   # of the first link; the others keep their proportion to
//     it latency: {phone->edge: 1ms..50ms}  # or link by link; bandwidths too load: {phone: 0..0.9}
//     # cpu_load of a tier slowdown: {edge: 0.25..2}          # of a tier memory: {phone:
//     16MiB..64MiB}      # of one tier switching: {bandwidth: 50MB/s, runs: 20}  # weights are
//     loaded at this rate (or {phone: ...});
//                                        # a context is expected to last for so many runs
//     tolerance: 0.01                    # leave out plans that gain less than this share
//
// Knots of loads have no latencies yet; bases of slowdowns are the context's. Throws Error
// "file:line: field: reason".
v1::AtlasRanges parse_atlas_ranges(const YAML::Node& node, const Context& context);

// The loads at which latencies are predicted: the ends, and multiples of 0.1 between them.
std::vector<double> load_knots(double low, double high);

}  // namespace adamec::plan
