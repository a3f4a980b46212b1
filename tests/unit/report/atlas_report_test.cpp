#include "adamec/report/atlas_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/report/plan_report.h"
#include "tests/support/run_command.h"

namespace adamec::report {
namespace {

using testing::compare_golden;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::source_path;

// The atlas of a golden cost graph over bandwidth and a slower device.
v1::Atlas atlas_of(const std::string& name, bool slowdown) {
  const plan::CostGraph costs =
      plan::read_cost_graph(source_path("tests/golden/plan/") + name + ".costs.json");
  v1::AtlasRanges message;
  v1::AtlasRange* range = message.add_ranges();
  range->set_quantity(v1::AtlasRange::BANDWIDTH);
  range->set_low(12500);
  range->set_high(125e6);
  if (slowdown) {
    range = message.add_ranges();
    range->set_quantity(v1::AtlasRange::SLOWDOWN);
    range->set_tier(costs.tiers[0].name);
    range->set_low(1);
    range->set_high(10);
  }
  message.set_runs(20);
  auto* rate = message.add_load_rates();
  rate->set_tier(costs.tiers[1].name);
  rate->set_bytes_per_second(1e6);
  const plan::Atlas atlas = plan::make_atlas(costs, plan::make_ranges(message, costs, name));
  return plan::atlas_message(costs, message, atlas, slowdown ? 0 : 40);
}

class GoldenAtlas : public ::testing::TestWithParam<std::pair<const char*, bool>> {};

TEST_P(GoldenAtlas, EveryNotation) {
  const auto [name, slowdown] = GetParam();
  const v1::Atlas atlas = atlas_of(name, slowdown);
  const plan::AtlasTable table(atlas, name);
  const std::string stem = std::string("plan/") + name;
  const Document document = atlas_document(atlas, table);
  EXPECT_EQ(compare_golden(stem + ".atlas.json", to_json(document)), "");
  EXPECT_EQ(compare_golden(stem + ".atlas.yaml", to_yaml(document)), "");
  EXPECT_EQ(compare_golden(stem + ".atlas.svg", atlas_svg(atlas, table)), "");
  EXPECT_EQ(compare_golden(stem + ".atlas.h.txt", atlas_header(atlas, table)), "");
}

INSTANTIATE_TEST_SUITE_P(Graphs, GoldenAtlas,
                         ::testing::Values(std::pair("toy", false), std::pair("mixed", true)));

TEST(AtlasHtml, IsSelfContainedAndNamesEveryPlan) {
  const v1::Atlas atlas = atlas_of("mixed", true);
  const plan::AtlasTable table(atlas, "mixed");
  const std::string page = atlas_html(atlas, table);
  EXPECT_THAT(page, ::testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, HasSubstr("proven optimal everywhere in the ranges"));
  for (int i = 0; i < atlas.plans_size(); ++i) {
    EXPECT_THAT(page, HasSubstr("</span>" + std::to_string(i) + "</td>"));
  }
}

TEST(Advice, SaysWhatLoadingWouldCost) {
  const v1::Atlas atlas = atlas_of("toy", false);
  const plan::AtlasTable table(atlas, "toy");
  const Document advice = advice_document(atlas, table, {125e6}, 0);
  // All on the edge gains 15 - 1.9 - 10 - 7.2 ms of transfers at twice the rate: not worth it.
  EXPECT_EQ(advice["plan"], 0);
  EXPECT_EQ(advice["change"], false);
  EXPECT_EQ(advice["current"]["plan"], 0);
}

TEST(PlanHtml, IsSelfContainedAndDrawsEveryAtom) {
  const plan::CostGraph costs =
      plan::read_cost_graph(source_path("tests/golden/plan/mixed.costs.json"));
  const plan::Evaluator evaluator(costs);
  const plan::Plan plan = plan::find_optimal(evaluator);
  const std::string page = plan_html(costs, plan, {"Because <it> is so."});
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("<li>Because &lt;it&gt; is so.</li>"));
  for (const auto& atom : costs.graph.atoms()) EXPECT_THAT(page, HasSubstr(">" + atom.id + "<"));
  EXPECT_THAT(page, HasSubstr("588.0 KiB, 4.82 ms")) << "what moves, and how long it takes";
}

}  // namespace
}  // namespace adamec::report
