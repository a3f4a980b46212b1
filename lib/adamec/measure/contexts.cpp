#include "adamec/measure/contexts.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/machine/load_generator.h"

namespace adamec::measure {
namespace {

constexpr unsigned kMostThreads = 1024;
constexpr std::uint64_t kLeastMemory = 1 << 20;

void check_share(double value, double most, const std::string& field) {
  if (!(value >= 0 && value <= most)) {
    fail_with(ErrorKind::kUsage, "{}: {} is not between 0 and {}", field, value, most);
  }
}

void check_context(const v1::Context& context, const FieldName& name) {
  if (context.threads() < 1 || context.threads() > kMostThreads) {
    fail_with(ErrorKind::kUsage, "{}: {} is not between 1 and {}", name("threads"),
              context.threads(), kMostThreads);
  }
  check_share(context.cpu_load(), machine::kLargestLoad, name("cpu_load"));
  check_share(context.cpu_quota(), 1, name("cpu_quota"));
  check_share(context.frequency(), 1, name("frequency"));
  if (context.memory_limit() > 0 && context.memory_limit() < kLeastMemory) {
    fail_with(ErrorKind::kUsage, "{}: {} is less than {}", name("memory_limit"),
              format_bytes(context.memory_limit()), format_bytes(kLeastMemory));
  }
}

bool same(const v1::Context& a, const v1::Context& b) {
  return measurement_key("", a) == measurement_key("", b);
}

}  // namespace

void add_contexts(const ContextLists& lists, const FieldName& name,
                  std::vector<v1::Context>& contexts) {
  const auto add = [&](const v1::Context& context) {
    check_context(context, name);
    const auto known = [&](const v1::Context& other) { return same(context, other); };
    if (std::none_of(contexts.begin(), contexts.end(), known)) contexts.push_back(context);
  };
  v1::Context context;
  context.set_affinity(lists.affinity);
  context.set_device(lists.device);
  for (const unsigned threads : lists.threads) {
    context.set_threads(threads);
    for (const double quota : lists.cpu_quotas) {
      context.set_cpu_quota(quota == 1 ? 0 : quota);
      for (const double frequency : lists.frequencies) {
        context.set_frequency(frequency == 1 ? 0 : frequency);
        for (const std::uint64_t memory : lists.memory_limits) {
          context.set_memory_limit(memory);
          for (const double load : lists.cpu_loads) {
            context.set_cpu_load(load);
            add(context);
          }
        }
      }
    }
  }
}

std::string context_text(const v1::Context& context) {
  std::string text =
      fmt::format("{} thread{}", context.threads(), context.threads() == 1 ? "" : "s");
  if (context.cpu_load() > 0) text += fmt::format(", load {}", context.cpu_load());
  if (context.memory_limit() > 0) text += ", " + format_bytes(context.memory_limit());
  if (context.cpu_quota() > 0) text += fmt::format(", quota {}", context.cpu_quota());
  if (context.frequency() > 0) text += fmt::format(", frequency {}", context.frequency());
  if (!context.device().empty()) text += ", " + printable(context.device());
  return text;
}

std::string measurement_key(const std::string& signature, const v1::Context& context) {
  return fmt::format("{} {} {} {} {} {} {}\n{}", context.threads(), context.cpu_load(),
                     context.memory_limit(), context.cpu_quota(), context.frequency(),
                     context.device(), context.affinity(), signature);
}

v1::Context uncontended(const v1::Context& context) {
  v1::Context other = context;
  other.set_cpu_load(0);
  other.set_memory_limit(0);
  other.set_cpu_quota(0);
  other.set_frequency(0);
  return other;
}

std::vector<std::size_t> open_contexts(const std::string& signature,
                                       std::span<const v1::Context> contexts,
                                       const std::set<std::string>& done) {
  std::vector<bool> open(contexts.size());
  std::set<std::string> contended;  // keys of the uncontended partners
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    open[i] = !done.contains(measurement_key(signature, contexts[i]));
    if (open[i]) contended.insert(measurement_key(signature, uncontended(contexts[i])));
  }
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const bool partner = contended.contains(measurement_key(signature, contexts[i]));
    if (open[i] || partner) indices.push_back(i);
  }
  return indices;
}

}  // namespace adamec::measure
