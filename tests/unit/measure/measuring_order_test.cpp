#include "adamec/measure/measuring_order.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "adamec/measure/synthesis/synthesis.h"
#include "adamec/predict/signature.h"
#include "tests/unit/measure/fakes.h"

namespace adamec::measure {
namespace {

WorkItem make_item(const std::string& call, v1::Subject subject = v1::ATOM,
                   std::size_t archive = 0) {
  WorkItem item;
  item.archive = archive;
  item.name = call;
  item.sample.set_subject(subject);
  item.sample.set_signature(call);
  if (subject == v1::ATOM) {
    *item.sample.add_operators() = parse_operator(call);
    item.sample.set_kind(v1::OPERATOR);
  } else {
    item.sample.add_parts("a");
    item.sample.add_parts("b");
  }
  return item;
}

std::vector<std::string> order_of(const std::vector<WorkItem>& plan,
                                  const std::vector<const v1::Sample*>& measured) {
  const std::vector<v1::Context> contexts{testing::make_context(1, 0)};
  std::vector<CampaignItem> items;
  for (const WorkItem& item : plan) items.push_back({&item, {0}, {}});
  std::vector<std::string> names;
  for (const std::size_t item : measuring_order(items, contexts, measured, 4)) {
    names.push_back(plan[item].name);
  }
  return names;
}

TEST(MeasuringOrder, TakesTheFarthestFirst) {
  const std::vector<WorkItem> plan{make_item("aten::relu(self=float32[1,64,56,56])"),
                                   make_item("aten::relu(self=float32[1,64,56,57])"),
                                   make_item("aten::relu(self=float32[1,64,28,28])"),
                                   make_item("aten::relu(self=float32[1,1024,7,7])"),
                                   make_item("aten::tanh(self=float32[1,8])")};
  const WorkItem known = make_item("aten::relu(self=float32[1,64,56,55])");
  const auto order = order_of(plan, {&known.sample});
  // No sample of tanh at all; then what is least like the relu that was measured.
  EXPECT_EQ(order[0], "aten::tanh(self=float32[1,8])");
  EXPECT_EQ(order[1], "aten::relu(self=float32[1,1024,7,7])");
  EXPECT_EQ(order[2], "aten::relu(self=float32[1,64,28,28])");
  EXPECT_EQ(order.size(), 5U);
}

TEST(MeasuringOrder, GivesBlocksAndModelsTheirShare) {
  std::vector<WorkItem> plan;
  for (int i = 0; i < 60; ++i) {
    plan.push_back(make_item("aten::relu(self=float32[1," + std::to_string(8 + i) + "])"));
  }
  for (std::size_t archive : {0, 1}) {
    for (int i = 0; i < 10; ++i) {
      plan.push_back(make_item("block" + std::to_string(archive), v1::BLOCK, archive));
    }
  }
  plan.push_back(make_item("model", v1::MODEL));
  const auto order = order_of(plan, {});
  ASSERT_EQ(order.size(), plan.size());
  const auto blocks = [&](std::size_t count, const std::string& name) {
    return std::count(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), name);
  };
  EXPECT_NEAR(static_cast<double>(blocks(40, "block0") + blocks(40, "block1")), 11, 4);
  EXPECT_NEAR(static_cast<double>(blocks(40, "block0")), static_cast<double>(blocks(40, "block1")),
              1);
  EXPECT_EQ(blocks(20, "model"), 1);
}

}  // namespace
}  // namespace adamec::measure
