#pragma once

#include <string>
#include <vector>

#include "adamec/plan/cost/evaluate.h"

namespace adamec::plan {

// A pipeline: inputs stream through, every stage works on a different one at the same time.
//
// A stage is a stretch of the topological order on a tier of its own. Every boundary carries all
// tensors (and inputs) that exist before it and are needed after it, over the route between the two
// tiers; results ride along to the last stage and from there to the tier of the first result that
// names one, inputs come from the tier where control starts. What limits the throughput is the
// slowest stage: the longest of all computing times and of all boundaries' transfer times.
//
// A stage's memory: the weights of its atoms, the largest activation, and `buffers` times the bytes
// of the boundaries before and behind it (one being worked on, others under way).
struct Stage {
  int tier;
  int first;  // positions in the topological order, [first, last)
  int last;
  double compute_ms;
  double receive_ms;           // of the boundary before it
  std::uint64_t memory_bytes;  // UINT64_MAX: that or more
};

struct Pipeline {
  std::vector<Stage> stages;
  double return_ms = 0;   // of the results
  double slowest_ms = 0;  // one inference leaves the pipeline in every such time
  std::string slowest;    // what takes that long, in words

  [[nodiscard]] double per_second() const { return slowest_ms > 0 ? 1e3 / slowest_ms : 0; }
};

struct PipelineOptions {
  int buffers = 2;  // per boundary and stage
};

// The pipeline whose slowest stage is fastest, over all ways to cut the order and to choose tiers:
// dynamic programming over (atoms done, tiers used, last tier), where tiers that nothing tells
// apart are counted instead of named (as in PipeEdge; Hu et al., "PipeEdge: pipeline parallelism
// for large-scale model inference on heterogeneous edge devices", DSD 2022). Exact; of pipelines
// that are as fast (kProofTolerance), one with the fewest stages, then the fewest moves between
// tiers, the way from the inputs and to the results included. Throws
// Error(kInfeasible) when there is none, and Error when more than kMaxPipelineStates would be
// needed.
[[nodiscard]] Pipeline find_pipeline(const Evaluator& evaluator,
                                     const PipelineOptions& options = {});

inline constexpr double kMaxPipelineStates = 5e7;

}  // namespace adamec::plan
