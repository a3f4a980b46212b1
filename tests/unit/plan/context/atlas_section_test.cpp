#include "adamec/plan/context/atlas_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "adamec/plan/atlas/parametric_cost.h"

namespace adamec::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char kContext[] = R"(tiers:
  - {name: phone, predictor: p, slowdown: 8}
  - {name: edge, predictor: p}
links:
  - {from: phone, to: edge, bandwidth: 20Mbit/s}
  - {from: edge, to: phone, bandwidth: 40Mbit/s}
input: phone
)";

v1::AtlasRanges parse(const std::string& atlas) {
  return parse_context(kContext + atlas, "c.yaml", "").atlas.value();
}

TEST(AtlasContext, ReadsEveryKindOfRange) {
  const v1::AtlasRanges ranges = parse(R"(atlas:
  bandwidth: {phone->edge: 0.1Mbit/s..1000Mbit/s}
  latency: 1ms..0.05s
  load: {edge: 0.05..0.3}
  slowdown: {phone: 1..8}
  memory: {phone: 16MiB..64MiB}
  switching: {bandwidth: {phone: 50MB/s}, runs: 20}
  tolerance: 0.01
)");
  ASSERT_EQ(ranges.ranges_size(), 5);
  EXPECT_EQ(range_name(ranges.ranges(0)), "bandwidth phone->edge");
  EXPECT_EQ(ranges.ranges(0).low(), 12500);
  EXPECT_EQ(ranges.ranges(0).high(), 125e6);
  EXPECT_EQ(range_name(ranges.ranges(1)), "latency");
  EXPECT_EQ(ranges.ranges(1).high(), 50);
  EXPECT_EQ(range_name(ranges.ranges(2)), "load edge");
  std::vector<double> knots;
  for (const auto& knot : ranges.ranges(2).knots()) knots.push_back(knot.load());
  EXPECT_THAT(knots, ElementsAre(0.05, 0.1, 0.2, 0.3));
  EXPECT_EQ(ranges.ranges(3).base(), 8);
  EXPECT_EQ(ranges.ranges(4).low(), 16 << 20);
  EXPECT_EQ(ranges.runs(), 20);
  ASSERT_EQ(ranges.load_rates_size(), 1);
  EXPECT_EQ(ranges.load_rates(0).tier(), "phone");
  EXPECT_EQ(ranges.load_rates(0).bytes_per_second(), 50e6);
  EXPECT_EQ(ranges.tolerance(), 0.01);
}

TEST(AtlasContext, OneRateOfLoadingIsForAllTiers) {
  const v1::AtlasRanges ranges =
      parse("atlas: {bandwidth: 1Mbit/s..2Mbit/s, switching: {bandwidth: 1MB/s}}\n");
  EXPECT_EQ(ranges.load_rates_size(), 2);
  EXPECT_EQ(ranges.runs(), 1);
}

void expect_refused(const std::string& atlas, const std::string& message) {
  try {
    parse("atlas: {" + atlas + "}\n");
    FAIL() << "accepted: " << atlas;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_THAT(error.what(), ::testing::StartsWith("c.yaml:8: "));
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("\n")));
  }
}

TEST(AtlasContext, BadRangesAreRefusedInOneLine) {
  expect_refused("", "expected a range of bandwidth, latency, load, slowdown or memory");
  expect_refused("speed: 1..2", "unknown key 'speed'");
  expect_refused("bandwidth: 20Mbit/s", "atlas.bandwidth: '20Mbit/s' is not a range");
  expect_refused("bandwidth: [1, 2]", "is not a range (expected low..high)");
  expect_refused("bandwidth: 20Mbit/s..", "is not a range (expected low..high)");
  expect_refused("bandwidth: 1Mbit/s..fast", "atlas.bandwidth: 'fast' is not a bandwidth");
  expect_refused("bandwidth: 0Mbit/s..1Mbit/s", "atlas.bandwidth");
  expect_refused("bandwidth: 20Mbit/s..10Mbit/s", "its ends do not ascend");
  expect_refused("bandwidth: {edge->cloud: 1Mbit/s..2Mbit/s}",
                 "atlas.bandwidth.edge->cloud: unknown link (known: phone->edge, edge->phone)");
  expect_refused("load: 0..1", "atlas.load: expected a mapping");
  expect_refused("load: {fog: 0..1}", "atlas.load.fog: unknown tier 'fog'");
  expect_refused("load: {phone: 0..2}", "a load is at most 1");
  expect_refused("load: {phone: 0..nan}", "'nan' is not a number");
  expect_refused("load: {phone: -1..1}", "'-1' is not a number");
  expect_refused("memory: {phone: 1..many}", "'many' is not");
  expect_refused("slowdown: {phone: 1..2, phone: 1..3}", "key 'phone' is given twice");
  expect_refused("latency: 1ms..2ms, switching: {runs: 5}", "key 'bandwidth' is missing");
  expect_refused("latency: 1ms..2ms, switching: {bandwidth: 1MB/s, runs: 0}",
                 "atlas.switching.runs");
  expect_refused("latency: 1ms..2ms, tolerance: 7", "atlas.tolerance: '7' is not a share");
}

}  // namespace
}  // namespace adamec::plan
