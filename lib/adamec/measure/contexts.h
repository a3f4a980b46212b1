#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adamec/v1/samples.pb.h"

namespace adamec::measure {

// Values to combine, each with each. 0: the machine as it is.
struct ContextLists {
  std::vector<unsigned> threads{1};
  std::vector<double> cpu_loads{0};
  std::vector<std::uint64_t> memory_limits{0};  // bytes
  std::vector<double> cpu_quotas{0};
  std::vector<double> frequencies{0};
  std::string device;    // empty: the CPU
  std::string affinity;  // CPU list
};

// How messages call a field of the lists, for "cpu_load": "--cpu-load", say.
using FieldName = std::function<std::string(const std::string&)>;

// Appends all combinations that `contexts` does not have yet. Throws Error(kUsage) naming the field
// for values out of range: threads 1..1024, load 0..kLargestLoad, quota and frequency 0..1.
void add_contexts(const ContextLists& lists, const FieldName& name,
                  std::vector<v1::Context>& contexts);

// "1 thread", "2 threads, load 0.5, 64.0 MiB", for people.
[[nodiscard]] std::string context_text(const v1::Context& context);

// The context that a contended one is compared with: same threads and device, all of the machine.
[[nodiscard]] v1::Context uncontended(const v1::Context& context);

// What a finished measurement is recognised by.
[[nodiscard]] std::string measurement_key(const std::string& signature, const v1::Context& context);

// Indices of the contexts in which the configuration has not been measured yet; with a contended
// one comes its uncontended one, if it is among them, for slowdown is learnt from measurements that
// lie close in time.
[[nodiscard]] std::vector<std::size_t> open_contexts(const std::string& signature,
                                                     std::span<const v1::Context> contexts,
                                                     const std::set<std::string>& done);

}  // namespace adamec::measure
