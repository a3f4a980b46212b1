// Context files.
#include "adamec/plan/context/context.h"

#include <cmath>

#include "adamec/base/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/run_command.h"

namespace adamec::fuzz {

std::vector<std::string> seeds() {
  return {read_file(testing::source_path("tests/golden/v1/context.yaml")),
          R"(tiers:
  - {name: phone, predictor: p, host: h, threads: 2, cpu_load: 0.5, slowdown: 2, memory: 64MiB, power: 3W}
  - {name: edge, predictor: e}
links:
  - {from: phone, to: edge, bandwidth: 20Mbit/s, latency: 5ms, energy: 0.1uJ/B, serialisation: 1GB/s}
input: phone
output: edge
constraints: {deadline: 100ms, keep_input_on: phone, pin: {"conv1*": phone}}
)"};
}

}  // namespace adamec::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamec;
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzz::expect_refused_or_read([&] {
    const plan::Context context = plan::parse_context(text, "fuzz.yaml", "");
    fuzz::expect(!context.tiers.empty(), "there is a tier");
    for (const plan::TierContext& tier : context.tiers) {
      fuzz::expect(tier.cpu_load >= 0 && tier.cpu_load <= 1, "a load is a share");
      fuzz::expect(tier.slowdown > 0 && std::isfinite(tier.slowdown), "a slowdown is positive");
    }
    for (const plan::LinkContext& link : context.links) {
      fuzz::expect(link.bytes_per_second > 0, "a bandwidth is positive");
      fuzz::expect(link.latency_ms >= 0, "a latency is not negative");
    }
  });
  return 0;
}
