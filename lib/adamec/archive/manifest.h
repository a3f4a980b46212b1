#pragma once

#include <cstdint>
#include <string>

#include "adamec/graph/atom_graph.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::archive {

// The manifest from the bytes of manifest.pb. Throws Error when they are not one, or one of a newer
// format version.
[[nodiscard]] v1::Manifest parse_manifest(const std::string& bytes, const std::string& source);

// Throws Error, prefixed by `source` (a file name), unless
//  - ids are well formed and unique, atoms are in execution order and every tensor they name
//  exists,
//  - every tensor has a role that fits its producer, and a byte count that fits type and shape,
//  - inputs and output are well formed, at most kMaxValueDepth deep, and name existing tensors,
//  - records are called "atoms/<id>.pt" and "weights/<name>.pt" and no two share one.
// Returns the graph.
graph::AtomGraph check_manifest(const v1::Manifest& manifest, const std::string& source);

inline constexpr int kMaxValueDepth = 40;

}  // namespace adamec::archive
