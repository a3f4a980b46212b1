// Atlas files: what is read can be looked up anywhere.
#include <cmath>

#include "adamec/plan/atlas/table.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/plan/toy.h"

namespace adamec::fuzz {

std::vector<std::string> seeds() {
  const plan::CostGraph costs = testing::toy();
  std::vector<std::string> all;
  for (const bool with_memory : {false, true}) {
    v1::AtlasRanges ranges;
    v1::AtlasRange* bandwidth = ranges.add_ranges();
    bandwidth->set_quantity(v1::AtlasRange::BANDWIDTH);
    bandwidth->set_low(1e4);
    bandwidth->set_high(1e8);
    if (with_memory) {
      v1::AtlasRange* memory = ranges.add_ranges();
      memory->set_quantity(v1::AtlasRange::MEMORY);
      memory->set_tier("device");
      memory->set_low(100);
      memory->set_high(1000);
    }
    ranges.set_runs(20);
    const plan::Atlas atlas = plan::make_atlas(costs, plan::make_ranges(ranges, costs, "toy"));
    all.push_back(plan::atlas_message(costs, ranges, atlas, 0).SerializeAsString());
  }
  return all;
}

}  // namespace adamec::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamec;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  fuzz::expect_refused_or_read([&] {
    const v1::Atlas atlas = plan::parse_atlas(bytes, "fuzz.pb");
    const plan::AtlasTable table(atlas, "fuzz.pb");
    const auto ranges = static_cast<std::size_t>(atlas.ranges().ranges_size());
    for (const double value : {0.0, 1e6, -1.0, HUGE_VAL, std::nan("")}) {
      const std::vector<double> values(ranges, value);
      for (const int current : {-1, 0, 1 << 20}) {
        const plan::Advice advice = plan::advise(table.table(), values.data(), current);
        fuzz::expect(advice.plan >= -1 && advice.plan < atlas.plans_size(), "a plan of the atlas");
      }
    }
  });
  return 0;
}
