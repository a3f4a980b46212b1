#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

// A configuration to measure and the atom that stands for it.
struct PlanItem {
  std::string signature;
  std::size_t archive = 0;          // index into the archives given
  const v1::Atom* atom = nullptr;   // in that archive's manifest
  std::vector<std::string> models;  // names of all models that contain it, sorted
  std::uint64_t working_bytes = 0;  // estimate of the memory it takes while it is measured
};

struct Selection {
  std::string only;     // shell pattern on "atom" or "model/atom"; empty: all
  unsigned shard = 1;   // 1 .. shards
  unsigned shards = 1;  // every shards-th configuration belongs to this shard
};

// The different configurations of all archives' atoms, in order of first appearance. The manifests
// must outlive the plan.
std::vector<PlanItem> make_plan(std::span<const v1::Manifest* const> manifests,
                                const Selection& selection);

// "resnet18/conv1.conv2d"
std::string qualified_name(const v1::Manifest& manifest, const v1::Atom& atom);

// Every number of threads with every CPU load. Throws Error(kUsage) naming the option for values
// out of range: threads 1..1024, load 0..kLargestLoad. Duplicates are dropped.
std::vector<v1::Context> make_contexts(std::span<const unsigned> threads,
                                       std::span<const double> cpu_loads,
                                       const std::string& affinity);

// What a finished measurement is recognised by.
std::string measurement_key(const std::string& signature, const v1::Context& context);

// Indices of the contexts in which the configuration has not been measured yet; with a contended
// one comes the uncontended one of the same threads, for slowdown is learnt from measurements that
// lie close in time.
std::vector<std::size_t> open_contexts(const std::string& signature,
                                       std::span<const v1::Context> contexts,
                                       const std::set<std::string>& done);

// A sample with everything but context and latency.
v1::Sample describe_sample(const PlanItem& item, const v1::Manifest& manifest);

}  // namespace adamec::measure
