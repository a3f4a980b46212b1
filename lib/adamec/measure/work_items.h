#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adamec/graph/atom_graph.h"
#include "adamec/v1/archive.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

// A configuration to measure and the atoms of one archive that stand for it.
struct WorkItem {
  v1::Sample sample;        // all of it but host, context and latency
  std::size_t archive = 0;  // index into the archives given
  std::vector<int> atoms;   // indices into its manifest, ascending; ATOM: one
  std::string name;         // within its archive: "conv1.conv2d", "block:3", "model:combined"
  std::uint64_t working_bytes = 0;  // estimate of the memory it takes while it is measured

  [[nodiscard]] const std::string& signature() const { return sample.signature(); }
};

// An archive's content.
struct WorkSource {
  const v1::Manifest* manifest = nullptr;
  const graph::AtomGraph* graph = nullptr;
  bool synthetic = false;  // atoms that no model has: no blocks, no whole model
};

struct Selection {
  std::string only;        // shell pattern on the item's name or "model/name"; empty: all
  unsigned shard = 1;      // 1 .. shards
  unsigned shards = 1;     // every shards-th configuration belongs to this shard
  unsigned blocks = 0;     // random convex blocks per model
  bool models = false;     // whole models, combined and atom by atom
  std::uint64_t seed = 0;  // of the blocks
};

// The different configurations of all archives: atoms in order of first appearance, then whole
// models, then blocks. The sources must outlive the plan.
[[nodiscard]] std::vector<WorkItem> make_work_items(std::span<const WorkSource> sources,
                                                    const Selection& selection);

// What the parts of the items are, each once, by signature.
[[nodiscard]] std::vector<v1::Configuration> part_configurations(
    std::span<const WorkSource> sources, std::span<const WorkItem> plan);

// "resnet18/conv1.conv2d"
[[nodiscard]] std::string qualified_name(const v1::Manifest& manifest, const v1::Atom& atom);

}  // namespace adamec::measure
