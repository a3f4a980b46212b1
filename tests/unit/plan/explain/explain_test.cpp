#include "adamec/plan/explain/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

std::vector<std::string> explain(const v1::CostGraph& message,
                                 std::optional<double> deadline_ms = std::nullopt) {
  const CostGraph costs = make_cost_graph(message, "toy");
  const Evaluator evaluator(costs);
  return explain_plan(evaluator, find_optimal(evaluator), deadline_ms);
}

v1::CostGraph with_fast_links() {
  v1::CostGraph message = testing::toy_message();
  for (auto& link : *message.mutable_links()) link.set_bytes_per_second(10e6);
  return message;
}

TEST(Explain, EveryCutSaysWhatOneAtomMoreOrLessWouldCost) {
  const auto sentences = explain(with_fast_links());
  // 2 ms of compute, 0.2 + 0.1 ms of transfers, 10 ms of moves.
  EXPECT_THAT(sentences[0], HasSubstr("The plan takes 12.30 ms: 2.00 ms on 'edge', 300 us for "
                                      "transfers and 10.00 ms for moves."));
  // 'a' on the device: 10.5 ms more compute, 8000 instead of 2000 bytes up: 0.6 ms more.
  EXPECT_THAT(
      sentences,
      Contains(AllOf(HasSubstr("At the start, control moves from 'device' to 'edge' with 'x'"),
                     HasSubstr("One atom more before it, 'a' on 'device', would cost +11.10 "
                               "ms (compute +10.50 ms, transfers +600 us, moves 0)"))));
  EXPECT_THAT(sentences, Contains(AllOf(HasSubstr("At the end"),
                                        HasSubstr("'b' on 'device', would cost +3.20 ms"))));
  EXPECT_THAT(sentences, Contains("What limits the plan most is the latency of the links."));
}

TEST(Explain, APlanWithoutCutsSaysWhatTheOtherTierWouldTake) {
  v1::CostGraph message = testing::toy_message();
  for (auto& link : *message.mutable_links()) link.set_bytes_per_second(1e5);
  const auto sentences = explain(message, 20);
  EXPECT_THAT(sentences, Contains(HasSubstr("Everything runs on 'device', nothing is sent. All on "
                                            "'edge' would take 42.00 ms, 30.00 ms of it")));
  EXPECT_THAT(sentences, Contains("What limits the plan most is the speed of 'device'."));
  EXPECT_THAT(sentences, Contains("The deadline of 20.00 ms is met by 5.00 ms."));
}

TEST(Explain, ALimitOfMemoryIsNamedWhenItCostsTime) {
  v1::CostGraph message = with_fast_links();
  message.mutable_tiers(1)->set_memory_bytes(300);
  EXPECT_THAT(explain(message), Contains(HasSubstr("unlimited memory on 'edge': 12.30 ms")));
}

TEST(ExplainInfeasible, NamesTheDeadlineAndWhatWouldMeetIt) {
  const CostGraph costs = testing::toy();
  const auto sentences = explain_infeasible(costs, 12.5);
  EXPECT_THAT(sentences, Contains("The deadline makes it impossible: the fastest plan takes 14.50 "
                                  "ms, 2.00 ms more than 12.50 ms."));
  // 2 + 10 + 2.5 ms / factor <= 12.5 ms from a factor of 5 on.
  EXPECT_THAT(sentences, Contains(HasSubstr("With bandwidth 5")));
  EXPECT_THAT(sentences, Contains(HasSubstr("With speed of 'device' 1.2")));
}

TEST(ExplainInfeasible, NamesTheMemoryThatIsMissing) {
  v1::CostGraph message = testing::toy_message();
  message.mutable_tiers(0)->set_memory_bytes(60);
  message.mutable_tiers(1)->set_memory_bytes(430);
  const CostGraph costs = make_cost_graph(message, "toy");
  EXPECT_THROW((void)find_optimal(Evaluator(costs)), Error);
  const auto sentences = explain_infeasible(costs, std::nullopt);
  // 'a' needs 150 B, 'b' 420 B: 150 B on the device would do; or all 550 B on the edge.
  EXPECT_THAT(sentences,
              Contains(HasSubstr("The memory of 'device' makes it impossible: about 150 B "
                                 "would do, 90 B more than the 60 B it has")));
  EXPECT_THAT(sentences, Contains(HasSubstr("The memory of 'edge' makes it impossible: about 55")));
}

TEST(ExplainInfeasible, NamesPinsAndMissingLinks) {
  v1::CostGraph message = testing::toy_message();
  message.mutable_links()->RemoveLast();
  message.mutable_atoms(0)->add_tiers("edge");
  const auto sentences = explain_infeasible(make_cost_graph(message, "toy"), std::nullopt);
  EXPECT_THAT(sentences,
              Contains(HasSubstr("Where atoms may run (pins) makes it impossible: without, "
                                 "there is a plan that takes 15.00 ms.")));
}

}  // namespace
}  // namespace adamec::plan
