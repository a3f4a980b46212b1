#include "adamec/predict/combination.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "adamec/predict/predictor.h"
#include "adamec/train/accuracy.h"
#include "adamec/train/combination_fit.h"
#include "adamec/train/trainer.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using predict::BlockTerms;
using predict::Combination;
using predict::PartTimes;
using train::HoldOut;
using train::MeasuredBlock;
using train::training_data;

TEST(Feeders, AreWhereTheLargestTensorComesFrom) {
  const std::vector<int> feeders = predict::feeders(4, {{0, 2, 10}, {1, 2, 30}, {0, 3, 5}});
  EXPECT_EQ(feeders, (std::vector<int>{-1, -1, 1, 0}));
}

TEST(Combination, SubtractsSharesAndCalls) {
  v1::Combination message;
  message.set_call_us(2);
  auto& any = *message.add_pairs();
  any.set_producer_index(-1);
  any.set_consumer_index(1);
  any.set_share(0.1);
  auto& pair = *message.add_pairs();
  pair.set_producer_index(0);
  pair.set_consumer_index(1);
  pair.set_share(0.5);
  const Combination combination(message, "c");
  BlockTerms terms{3, 100, 20, {{0, 1, 40}, {7, 1, 20}}};
  const double unloaded = 100 - 0.5 * 38 - 0.1 * 18 - 2 * 2;
  EXPECT_DOUBLE_EQ(combination.block_us(terms), unloaded);
  terms.slowdown = 2;  // under load: gains and losses, too
  EXPECT_DOUBLE_EQ(combination.block_us(terms), 2 * unloaded);
  terms.waiting_us = 70;
  EXPECT_DOUBLE_EQ(combination.block_us(terms), 2 * unloaded + 70);
  EXPECT_DOUBLE_EQ(predict::pair_saving(-0.5, 40, 2), -0.5 * 38);
  EXPECT_DOUBLE_EQ(combination.block_us({1, 100, 100, {}, {}, 2}), 200);
  EXPECT_EQ(combination.share(0, 9), 0);
}

predict::BlockSlowdown slowdown_of(const std::vector<PartTimes>& parts, double typical) {
  return predict::block_slowdown(parts, typical);
}

// Three parts slow down 1.5 to 2.25 times, 2 on the whole; the fourth waits for a thread.
TEST(BlockSlowdown, TellsSlowPartsFromThoseThatWait) {
  const std::vector<PartTimes> parts = {{10, 15}, {20, 45}, {10, 20}, {5, 100}};
  const predict::BlockSlowdown usual = slowdown_of(parts, 2.5);
  EXPECT_DOUBLE_EQ(usual.factor, (2 + 2.5) / 2);
  EXPECT_EQ(usual.waiting, (std::vector<double>{0, 0, 0, 100 - 5 * 2.25}));
  // The load is known, but not what it does to a typical atom.
  const predict::BlockSlowdown unknown = slowdown_of(parts, 0);
  EXPECT_DOUBLE_EQ(unknown.factor, 180.0 / 45);
  EXPECT_EQ(unknown.waiting, std::vector<double>(4, 0));
  // By itself a part is what it is.
  EXPECT_DOUBLE_EQ(slowdown_of({{5, 100}}, 2.5).factor, 20);
  EXPECT_DOUBLE_EQ(slowdown_of({{5, 6}}, 2.5).factor, 1.2);
  const predict::BlockSlowdown all_wait = slowdown_of({{5, 100}, {5, 50}}, 2.5);
  EXPECT_DOUBLE_EQ(all_wait.factor, 2.5);
  EXPECT_EQ(all_wait.waiting, (std::vector<double>{87.5, 37.5}));
  BlockTerms terms;
  terms.set_slowdown(all_wait);
  EXPECT_DOUBLE_EQ(terms.slowdown, 2.5);
  EXPECT_DOUBLE_EQ(terms.waiting_us, 125);
  // Without load nothing changes, to the last bit.
  const predict::BlockSlowdown none = slowdown_of({{0.1, 0.1}, {0.7, 0.7}}, 1);
  EXPECT_EQ(none.factor, 1);
}

std::vector<MeasuredBlock> measured_blocks(double call_us, double share) {
  std::vector<MeasuredBlock> blocks;
  for (int i = 2; i < 60; ++i) {
    MeasuredBlock block;
    block.terms.atoms = static_cast<std::size_t>(i);
    block.terms.sum_us = 30.0 * i;
    block.terms.least_us = 10;
    block.terms.fed = {{0, 1, 10.0 * i}, {1, 2, 3.0 * (i % 7)}};
    block.us = block.terms.sum_us - share * 10 * i - call_us * (i - 1);
    block.variance = 1e-6;
    blocks.push_back(block);
  }
  return blocks;
}

TEST(FitCombination, FindsWhatMadeTheBlocks) {
  const auto blocks = measured_blocks(3, 0.4);
  const Combination fitted(train::fit_combination(blocks, 1), "c");
  for (const MeasuredBlock& block : blocks) {
    EXPECT_NEAR(fitted.block_us(block.terms) / block.us, 1, 0.03);
  }
}

// Blocks whose weights do not stay in a cache of 8 MiB take longer than their atoms one by one.
TEST(FitCombination, FindsWhatColdBytesCost) {
  constexpr double kUsPerByte = 4e-5;
  auto blocks = measured_blocks(1, 0);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::vector<predict::Footprint> parts(i + 2, {4e5, 1e4});
    blocks[i].terms.add_cold(parts, {});
    blocks[i].us += blocks[i].terms.cold[1].weight_bytes * kUsPerByte;
  }
  const Combination fitted(train::fit_combination(blocks, 1), "c");
  for (const MeasuredBlock& block : blocks) {
    EXPECT_NEAR(fitted.block_us(block.terms) / block.us, 1, 0.05);
  }
}

TEST(ColdBytes, AreThoseThatACacheHoldsForThePartButNotForTheBlock) {
  const predict::Footprint small{1 << 12, 1 << 8};
  const auto alone = predict::cold_bytes(small, small.bytes());
  const auto among_many = predict::cold_bytes(small, 1e9);
  const auto among_few = predict::cold_bytes(small, 1 << 22);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(alone[i].weight_bytes, 0);
    EXPECT_NEAR(among_many[i].weight_bytes, small.weight_bytes, 0.01 * small.weight_bytes);
    EXPECT_LT(among_few[i].weight_bytes, among_many[i].weight_bytes);
  }
  EXPECT_GT(among_few.front().weight_bytes, 0.9 * small.weight_bytes);  // 128 KiB
  EXPECT_LT(among_few.back().weight_bytes, 0.1 * small.weight_bytes);   // 32 MiB
  const auto huge = predict::cold_bytes({1e300, 1e300}, 1e300);
  EXPECT_TRUE(std::isfinite(huge[0].weight_bytes));
}

TEST(WorkingSet, HoldsAllWeightsAndWhatIsAliveAtOneTime) {
  // A chain: of its tensors (100 bytes each) one part touches two.
  const std::vector<predict::Footprint> parts(5, {10, 200});
  const std::vector<predict::PartEdge> chain = {{0, 1, 100}, {1, 2, 100}, {2, 3, 100}, {3, 4, 100}};
  EXPECT_EQ(predict::working_set(parts, chain), 5 * 10 + 200);
  // The first one's tensor waits for the last.
  auto skip = chain;
  skip.push_back({0, 4, 100});
  EXPECT_EQ(predict::working_set(parts, skip), 5 * 10 + 300);
  EXPECT_EQ(predict::working_set({}, {}), 0);
}

TEST(Footprint, AnEmbeddingTouchesTheRowsItTakes) {
  predict::Work work;
  work.class_key = "aten::embedding";
  work.weight_bytes = 1e9;
  work.bytes_in = 8;
  work.bytes_out = 1000;
  EXPECT_EQ(predict::footprint_of(work).weight_bytes, 1000);
  work.class_key = "aten::linear";
  EXPECT_EQ(predict::footprint_of(work).weight_bytes, 1e9);
  work.view = true;
  EXPECT_EQ(predict::footprint_of(work).bytes(), 0);
}

TEST(FitCombination, ACallTakesNeitherLessThanNothingNorMoreThanAnAtom) {
  EXPECT_EQ(train::fit_combination(measured_blocks(-5, 0), 1).call_us(), 0);
  EXPECT_LE(train::fit_combination(measured_blocks(19, 0), 1).call_us(), 10);
}

v1::SampleSet set_with_blocks() {
  v1::SampleSet set =
      synthetic_samples({.configurations = 150, .threads = {1, 2}, .loads = {0, 0.5}});
  add_synthetic_blocks(set, 1, 0.2);
  return set;
}

TEST(Blocks, ArePredictedBetterThanTheSumOfTheirAtoms) {
  const v1::SampleSet set = set_with_blocks();
  const auto data = training_data(set, "", "s");
  ASSERT_GT(data.composites.size(), 100u);
  for (const HoldOut hold_out : {HoldOut::kConfig, HoldOut::kModel}) {
    const auto table = train::accuracy_table(train::cross_validate(data, hold_out, 1, 2));
    std::map<std::string, train::Accuracy> rows;
    for (const auto& row : table) rows[row.group] = row;
    EXPECT_GT(rows.at("blocks").within_10, 80);
    EXPECT_LT(rows.at("models").mape, 10);
    EXPECT_TRUE(rows.contains("blocks, 2 threads, load 0.5"));
    EXPECT_EQ(table.back().group, "all");
  }
}

TEST(Blocks, PredictorsKnowWhatABoundaryCosts) {
  const v1::SampleSet set = set_with_blocks();
  const auto data = training_data(set, "", "s");
  const predict::Predictor predictor(train::train(data, {}).predictor, "p");
  EXPECT_GT(predictor.call_ms({1, 0}) * 1000, 0.2);
  EXPECT_LT(predictor.call_ms({1, 0}) * 1000, 5);
  const v1::Atom conv = conv2d(64, 64, 28, 3);
  const v1::Atom act = relu({1, 64, 28, 28});
  const std::vector<const v1::Atom*> atoms = {&conv, &act};
  const std::vector<predict::PartEdge> edges = {{0, 1, 1e5}};
  const auto parts = predictor.predict_parts(atoms, edges, {1, 0});
  const double call = predictor.call_ms({1, 0});
  const double alone = predictor.predict(act, {1, 0}).p50_ms;
  EXPECT_NEAR((alone - call - parts[1].p50_ms) / alone, 0.2, 0.1);
  const auto block = predictor.predict_block(atoms, edges, {1, 0});
  EXPECT_NEAR(block.p50_ms, call + parts[0].p50_ms + parts[1].p50_ms, 1e-9);
  EXPECT_GT(block.p95_ms, block.p50_ms);
  EXPECT_FALSE(block.extrapolated);
}

TEST(Blocks, UnderLoadAreTheSumOfTheirPartsToo) {
  const v1::SampleSet set = set_with_blocks();
  const predict::Predictor predictor(train::train(training_data(set, "", "s"), {}).predictor, "p");
  const v1::Atom conv = conv2d(64, 64, 28, 3);
  const v1::Atom act = relu({1, 64, 28, 28});
  const std::vector<const v1::Atom*> atoms = {&conv, &act};
  const std::vector<predict::PartEdge> edges = {{0, 1, 1e5}};
  for (const unsigned threads : {1U, 2U}) {
    const predict::RunContext context{threads, 0.5};
    const double typical = predictor.typical_slowdown(threads, 0.5);
    EXPECT_GT(typical, 1.1);
    EXPECT_LT(predictor.typical_slowdown(threads, 0.25), typical);
    EXPECT_EQ(predictor.typical_slowdown(threads, 0), 1);
    const auto parts = predictor.predict_parts(atoms, edges, context);
    const double sum = parts[0].p50_ms + parts[1].p50_ms;
    const double call = predictor.call_ms({threads, 0});
    const double block = predictor.predict_block(atoms, edges, context).p50_ms;
    EXPECT_GT(block, sum + call);
    EXPECT_LT(block, sum + 5 * call);
    EXPECT_GT(block, predictor.predict_block(atoms, edges, {threads, 0.25}).p50_ms);
  }
}

TEST(Blocks, AreSumsWhereNoneWasMeasured) {
  const v1::SampleSet set = synthetic_samples({.configurations = 30});
  const predict::Predictor predictor(train::train(training_data(set, "", "s"), {}).predictor, "p");
  const v1::Atom act = relu({1, 64, 28, 28});
  const std::vector<const v1::Atom*> atoms = {&act, &act};
  const auto block = predictor.predict_block(atoms, {}, {1, 0});
  EXPECT_NEAR(block.p50_ms, 2 * predictor.predict(act, {1, 0}).p50_ms, 1e-9);
  EXPECT_TRUE(block.extrapolated);
  EXPECT_EQ(predictor.call_ms({1, 0}), 0);
}

}  // namespace
}  // namespace adamec::testing
