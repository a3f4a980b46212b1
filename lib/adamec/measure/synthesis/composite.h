#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adamec/graph/atom_graph.h"
#include "adamec/v1/archive.pb.h"
#include "adamec/v1/samples.pb.h"

// Blocks and whole models as things to measure: the correction from atoms to blocks is learnt from
// them.
namespace adamec::measure {

// A random convex set of 2 to (atoms - 1) atoms, ascending: a block as planners make them, grown
// from one atom along tensors. Its size is log-uniform, so that small blocks are as frequent as
// large ones. Depends on the graph, `name` (of the model), `seed` and `index` alone. Empty when
// nothing or everything is left: the atom it started at has no neighbours, or convexity took all.
[[nodiscard]] std::vector<int> random_block(const graph::AtomGraph& graph, const std::string& name,
                                            std::uint64_t seed, unsigned index);

// A sample of these atoms (indices into the manifest, ascending) as one subject: parts, edges, what
// crosses the boundary, sums. Everything but host, context, latency, models and sample_atom.
// `signatures`: of every atom of the manifest.
[[nodiscard]] v1::Sample describe_composite(v1::Subject subject, const v1::Manifest& manifest,
                                            const graph::AtomGraph& graph,
                                            const std::vector<int>& atoms,
                                            const std::vector<std::string>& signatures);

// What a part is.
[[nodiscard]] v1::Configuration describe_part(const std::string& signature, const v1::Atom& atom);

}  // namespace adamec::measure
