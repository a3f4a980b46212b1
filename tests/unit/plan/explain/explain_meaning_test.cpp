// What explanations say is true: the atoms, tiers and numbers in their sentences are compared with
// what a simulation written apart from the planner says of the same changes.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <regex>

#include "adamec/base/error.h"
#include "adamec/base/units.h"
#include "adamec/plan/explain/explain.h"
#include "tests/unit/plan/brute_force.h"

namespace adamec::plan {
namespace {

using testing::random_cost_graph;
using testing::Simulator;

// "12.30 ms", "+600 us", "-1.20 s", "0".
double parse_ms(const std::string& text) {
  static const std::regex kTime(R"(([+-]?)([0-9.]+)(?: (us|ms|s))?)");
  std::smatch match;
  EXPECT_TRUE(std::regex_match(text, match, kTime)) << text;
  const double factor = match[3] == "us" ? 1e-3 : match[3] == "s" ? 1e3 : 1;
  return std::stod(match[2]) * factor * (match[1] == "-" ? -1 : 1);
}

// Half a unit of the last digit that is printed.
double precision(double ms) {
  const double size = std::abs(ms);
  return size >= 1000 ? 5.01 : size >= 1 ? 5.01e-3 : 5.01e-4;
}

#define EXPECT_SAYS(text, value) \
  EXPECT_NEAR(parse_ms(text), value, precision(value)) << sentence << "\n" << graph

std::uint32_t bits(const Placement& placement) {
  std::uint32_t result = 0;
  for (std::size_t i = 0; i < placement.size(); ++i) result |= std::uint32_t(placement[i]) << i;
  return result;
}

int index_of(const v1::CostGraph& message, const std::string& atom) {
  for (int i = 0; i < message.atoms_size(); ++i) {
    if (message.atoms(i).id() == atom) return i;
  }
  return -1;
}

struct Explained {
  v1::CostGraph message;
  Plan plan;
  std::vector<std::string> sentences;
};

// Explanations of random graphs that have a plan.
std::vector<Explained> explain_random_graphs(unsigned count, int max_atoms) {
  std::vector<Explained> all;
  for (unsigned seed = 1; seed <= count; ++seed) {
    std::mt19937 random(seed);
    Explained one{random_cost_graph(random, max_atoms), {}, {}};
    if (Simulator(one.message).best_ms() == Simulator::kImpossible) continue;
    const CostGraph costs = make_cost_graph(one.message, "random");
    const Evaluator evaluator(costs);
    one.plan = find_optimal(evaluator);
    one.sentences = explain_plan(evaluator, one.plan, std::nullopt);
    all.push_back(std::move(one));
  }
  return all;
}

TEST(ExplainMeaning, TheTimesOfAPlanAreThoseOfASimulation) {
  const std::regex whole(R"(The plan takes ([0-9.]+ \w+): (.*)\.)");
  const std::regex part(R"(([0-9.]+ (?:us|ms|s)) (?:on '(\w+)'|for (transfers|moves)))");
  int checked = 0;
  for (const Explained& one : explain_random_graphs(200, 8)) {
    const std::string& sentence = one.sentences[0];
    const std::string graph = one.message.ShortDebugString();
    std::smatch match;
    ASSERT_TRUE(std::regex_match(sentence, match, whole)) << sentence;
    const double latency = Simulator(one.message).latency_ms(bits(one.plan.placement));
    EXPECT_SAYS(match[1], latency);
    double compute[2] = {0, 0};
    for (int i = 0; i < one.message.atoms_size(); ++i) {
      const int tier = one.plan.placement[i];
      compute[tier] += one.message.atoms(i).latency_ms(tier);
    }
    double said = 0;
    double slack = precision(latency);
    const std::string parts = match[2];
    for (std::sregex_iterator at(parts.begin(), parts.end(), part), end; at != end; ++at) {
      const double ms = parse_ms((*at)[1]);
      said += ms;
      slack += precision(ms);
      if ((*at)[2].matched) {
        EXPECT_SAYS((*at)[1].str(), compute[(*at)[2] == "edge" ? 1 : 0]);
      }
    }
    EXPECT_NEAR(said, latency, slack) << sentence;
    ++checked;
  }
  EXPECT_GT(checked, 150);
}

// Moving the atom that is named costs what is said, and no other atom at that end of the block
// would cost less.
TEST(ExplainMeaning, OneAtomMoreOrLessCostsWhatIsSaid) {
  const std::regex moved(
      R"(One atom (more|less) before it, '([\w.:]+)' on '(\w+)', would cost (\S+(?: \w+)?) )"
      R"(\(compute (\S+(?: \w+)?), transfers (\S+(?: \w+)?), moves (\S+(?: \w+)?)\)\.)");
  const std::regex where(
      R"((At the start|After block (\d+)|At the end), control moves from '(\w+)' to '(\w+)')");
  int checked = 0;
  for (const Explained& one : explain_random_graphs(300, 8)) {
    const CostGraph costs = make_cost_graph(one.message, "random");
    const Simulator simulator(one.message);
    const std::string graph = one.message.ShortDebugString();
    const double now = simulator.latency_ms(bits(one.plan.placement));
    const auto& blocks = one.plan.evaluation.blocks;
    std::size_t cuts = 0;
    for (const std::string& sentence : one.sentences) {
      std::smatch place;
      if (!std::regex_search(sentence, place, where)) continue;
      ++cuts;
      const std::size_t next = place[1] == "At the start" ? 0
                               : place[2].matched         ? std::stoul(place[2])
                                                          : blocks.size();
      if (next < blocks.size()) {
        EXPECT_EQ(costs.tiers[blocks[next].tier].name, place[4].str());
      }
      if (next > 0) {
        EXPECT_EQ(costs.tiers[blocks[next - 1].tier].name, place[3].str());
      }
      for (std::sregex_iterator at(sentence.begin(), sentence.end(), moved), end; at != end; ++at) {
        const std::smatch& said = *at;
        const bool more = said[1] == "more";
        const int atom = index_of(one.message, said[2]);
        const int tier = said[3] == "edge" ? 1 : 0;
        ASSERT_GE(atom, 0) << sentence;
        const auto& block = blocks[more ? next : next - 1];
        EXPECT_EQ(std::count(block.atoms.begin(), block.atoms.end(), atom), 1) << sentence;
        const auto change = [&](int candidate) {
          Placement placement = one.plan.placement;
          placement[candidate] = tier;
          return simulator.latency_ms(bits(placement)) - now;
        };
        EXPECT_SAYS(said[4].str(), change(atom));
        const double parts = parse_ms(said[5]) + parse_ms(said[6]) + parse_ms(said[7]);
        EXPECT_NEAR(parts, change(atom),
                    precision(parse_ms(said[5])) + precision(parse_ms(said[6])) +
                        precision(parse_ms(said[7])))
            << sentence;
        EXPECT_SAYS(said[5].str(), one.message.atoms(atom).latency_ms(tier) -
                                       one.message.atoms(atom).latency_ms(1 - tier));
        for (int candidate : block.atoms) {
          const auto& near =
              more ? costs.graph.predecessors(candidate) : costs.graph.successors(candidate);
          const bool inner = std::any_of(near.begin(), near.end(), [&](int other) {
            return std::count(block.atoms.begin(), block.atoms.end(), other) > 0;
          });
          if (inner) continue;
          EXPECT_GE(change(candidate), change(atom) - 1e-9) << sentence;
        }
        ++checked;
      }
    }
    // Every change of the tier is explained.
    std::size_t changes = 0;
    int at = costs.inputs.front().tier;
    for (const Block& block : blocks) changes += std::exchange(at, block.tier) != block.tier;
    int end = -1;
    for (const Endpoint& output : costs.outputs) end = end < 0 ? output.tier : end;
    changes += end >= 0 && end != at;
    EXPECT_EQ(cuts, changes) << graph;
  }
  EXPECT_GT(checked, 150);
}

// The condition that a text speaks of, changed in the message.
v1::CostGraph changed(v1::CostGraph message, const std::string& condition) {
  static const std::regex kBandwidth(R"(twice the bandwidth from '(\w+)' to '(\w+)')");
  static const std::regex kSpeed(R"('(\w+)' twice as fast)");
  static const std::regex kMemory(R"(unlimited memory on '(\w+)')");
  std::smatch match;
  if (std::regex_match(condition, match, kBandwidth)) {
    for (auto& link : *message.mutable_links()) {
      if (link.from() == match[1]) link.set_bytes_per_second(2 * link.bytes_per_second());
    }
  } else if (condition == "half the latency of the links") {
    for (auto& link : *message.mutable_links()) link.set_latency_ms(link.latency_ms() / 2);
  } else if (std::regex_match(condition, match, kSpeed)) {
    const int tier = match[1] == "edge" ? 1 : 0;
    for (auto& atom : *message.mutable_atoms())
      atom.set_latency_ms(tier, atom.latency_ms(tier) / 2);
  } else if (std::regex_match(condition, match, kMemory)) {
    message.mutable_tiers(match[1] == "edge" ? 1 : 0)->clear_memory_bytes();
  } else if (condition == "all atoms free to run anywhere") {
    for (auto& atom : *message.mutable_atoms()) atom.clear_tiers();
  } else {
    ADD_FAILURE() << "unknown condition: " << condition;
  }
  return message;
}

TEST(ExplainMeaning, WhatWouldHelpHelpsAsMuchAsIsSaid) {
  const std::regex saving(R"([, ]([^,:]+): ([0-9.]+ \w+) \(([0-9.]+) % less\))");
  const std::string prefix = "The best plan would take, with";
  const std::string most = "What limits the plan most is ";
  int checked = 0;
  for (const Explained& one : explain_random_graphs(150, 7)) {
    const std::string graph = one.message.ShortDebugString();
    const double now = Simulator(one.message).best_ms();
    std::string limit;
    std::string best_condition;
    double least = now;
    for (const std::string& sentence : one.sentences) {
      if (sentence.rfind(most, 0) == 0) limit = sentence.substr(most.size());
      if (sentence.rfind(prefix, 0) != 0) continue;
      const std::string list = sentence.substr(prefix.size());
      for (std::sregex_iterator at(list.begin(), list.end(), saving), end; at != end; ++at) {
        const std::string condition = std::regex_replace((*at)[1].str(), std::regex("^ "), "");
        const double after = Simulator(changed(one.message, condition)).best_ms();
        EXPECT_SAYS((*at)[2].str(), after);
        EXPECT_NEAR(std::stod((*at)[3]), 100 * (1 - after / now), 0.051) << sentence;
        if (after < least) {
          least = after;
          best_condition = condition;
        }
        ++checked;
      }
    }
    // The limit that is named is the one whose change saves most.
    if (best_condition.empty()) continue;
    const bool bandwidth = best_condition.rfind("twice the bandwidth", 0) == 0;
    std::smatch name;
    static const std::regex kQuoted("'.*'");
    const bool quoted = std::regex_search(best_condition, name, kQuoted);
    const std::string what =
        bandwidth ? "the bandwidth from " + name[0].str() + "."
        : best_condition == "half the latency of the links"  ? "the latency of the links."
        : best_condition == "all atoms free to run anywhere" ? "the pins."
        : best_condition.rfind("unlimited", 0) == 0 ? "the memory of " + name[0].str() + "."
                                                    : "the speed of " + name[0].str() + ".";
    EXPECT_TRUE(quoted || !bandwidth);
    EXPECT_EQ(limit, what) << graph;
  }
  EXPECT_GT(checked, 200);
}

// The factor with which a deadline would be met is enough, and little less is not.
TEST(ExplainMeaning, TheFactorsOfADeadlineAreJustEnough) {
  const std::regex factor(
      R"(With (bandwidth|speed of '(\w+)') ([0-9.e+]+) times as high it would be met\.)");
  const std::regex never(
      R"(No (bandwidth|speed of '(\w+)') is high enough: ([0-9.]+ \w+) remain\.)");
  int enough = 0;
  int remain = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const v1::CostGraph message = random_cost_graph(random, 6);
    const double best = Simulator(message).best_ms();
    if (best == Simulator::kImpossible || best == 0) continue;
    const double deadline = best * std::uniform_real_distribution<double>(0.5, 0.95)(random);
    const auto with = [&](const std::smatch& what, double by) {
      v1::CostGraph other = message;
      if (what[1] == "bandwidth") {
        for (auto& link : *other.mutable_links()) {
          link.set_bytes_per_second(link.bytes_per_second() * by);
        }
      } else {
        const int tier = what[2] == "edge" ? 1 : 0;
        for (auto& atom : *other.mutable_atoms()) {
          atom.set_latency_ms(tier, atom.latency_ms(tier) / by);
        }
      }
      return Simulator(other).best_ms();
    };
    const std::string graph = message.ShortDebugString();
    for (const std::string& sentence :
         explain_infeasible(make_cost_graph(message, "random"), deadline)) {
      std::smatch match;
      if (std::regex_match(sentence, match, factor)) {
        const double by = std::stod(match[3]);
        EXPECT_LE(with(match, by * 1.006), deadline) << sentence;  // three digits are printed
        EXPECT_GT(with(match, by / 1.02), deadline) << sentence;
        ++enough;
      } else if (std::regex_match(sentence, match, never)) {
        EXPECT_SAYS(match[3].str(), with(match, 1e4));
        EXPECT_GT(with(match, 1e4), deadline);
        ++remain;
      }
    }
  }
  EXPECT_GT(enough, 50);
  EXPECT_GT(remain, 30);
}

// The memory that would do is enough, and a hundredth of what is missing less is not.
TEST(ExplainMeaning, TheMemoryThatWouldDoIsJustEnough) {
  const std::regex would(R"(The memory of '(\w+)' makes it impossible: about (\d+) B would do, )"
                         R"((\d+) B more than the (\d+) B it has; .*)");
  const std::regex alone(R"(More memory on '(\w+)' alone would not help\.)");
  int checked = 0;
  for (unsigned seed = 1; seed <= 1500 && checked < 60; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    v1::CostGraph message = random_cost_graph(random, 6);
    for (auto& tier : *message.mutable_tiers()) {
      tier.set_memory_bytes(std::uniform_int_distribution<std::uint64_t>(20, 120)(random));
    }
    if (message.links_size() < 2) continue;
    const auto possible = [&](int tier, std::uint64_t memory) {
      v1::CostGraph other = message;
      other.mutable_tiers(tier)->set_memory_bytes(memory);
      return Simulator(other).best_ms() != Simulator::kImpossible;
    };
    if (possible(0, message.tiers(0).memory_bytes())) continue;
    for (const std::string& sentence :
         explain_infeasible(make_cost_graph(message, "random"), std::nullopt)) {
      std::smatch match;
      if (std::regex_match(sentence, match, would)) {
        const int tier = match[1] == "edge" ? 1 : 0;
        const std::uint64_t least = std::stoull(match[2]);
        const std::uint64_t has = message.tiers(tier).memory_bytes();
        EXPECT_EQ(std::stoull(match[4]), has);
        EXPECT_EQ(std::stoull(match[3]), least - has) << sentence;
        EXPECT_TRUE(possible(tier, least)) << sentence;
        const std::uint64_t precision = std::max<std::uint64_t>((least - has) / 100, 1);
        EXPECT_FALSE(possible(tier, least - 2 * precision)) << sentence;
        ++checked;
      } else if (std::regex_match(sentence, match, alone)) {
        EXPECT_FALSE(possible(match[1] == "edge" ? 1 : 0, 0)) << sentence;
        ++checked;
      }
    }
  }
  EXPECT_GE(checked, 60);
}

}  // namespace
}  // namespace adamec::plan
