#include <gtest/gtest.h>

#include "adamec/base/file.h"
#include "adamec/plan/search/pipeline.h"
#include "tests/support/run_command.h"

namespace adamec::plan {
namespace {

// What PipeEdge's scheduler prints for its published profiles: layers 1-12, 13-24, 25-36 and 37-48
// on mb-0 to mb-3.
TEST(PipeEdge, VitBaseOnEightHosts) {
  const std::string folder = testing::source_path("tests/data/pipeedge");
  const auto made = testing::run_command("/usr/bin/python3 " +
                                         testing::source_path("tests/bench/pipeedge_costs.py") +
                                         " '" + folder + "' google/vit-base-patch16-224");
  if (made.err.find("No module named 'yaml'") != std::string::npos) {
    GTEST_SKIP() << "skipped: Python has no yaml module";
  }
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const CostGraph costs = make_cost_graph(parse_cost_message(made.out, "vit"), "vit");
  ASSERT_EQ(costs.tier_count(), 8);
  const Evaluator evaluator(costs);
  const Pipeline pipeline = find_pipeline(evaluator);
  ASSERT_EQ(pipeline.stages.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    const Stage& stage = pipeline.stages[static_cast<std::size_t>(i)];
    EXPECT_EQ(costs.tiers[stage.tier].name, "mb-" + std::to_string(i));
    EXPECT_EQ(stage.first, 12 * i);
    EXPECT_EQ(stage.last, 12 * (i + 1));
  }
  EXPECT_NEAR(pipeline.slowest_ms, 3354.2938697, 1e-4);
}

}  // namespace
}  // namespace adamec::plan
