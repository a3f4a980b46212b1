// Where brute force ends: graphs of 150 atoms with memory limits and moves, against a mixed-integer
// program of the same problem, solved by COIN-OR CBC.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "adamec/plan/search/branch_and_bound.h"
#ifdef ADAMEC_HAS_CBC
#include <Cbc_C_Interface.h>
#endif

namespace adamec::plan {
namespace {

#ifdef ADAMEC_HAS_CBC

int pick(std::mt19937& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

double real(std::mt19937& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

// A network of branches that meet again, from the device and back to it; memory for a part of the
// weights on either tier.
v1::CostGraph random_network(std::mt19937& random, int atoms) {
  v1::CostGraph message;
  std::uint64_t weights = 0;
  const auto add_tensor = [&](const std::string& id) {
    v1::CostGraph::Tensor* tensor = message.add_tensors();
    tensor->set_id(id);
    tensor->set_bytes(static_cast<std::uint64_t>(pick(random, 100, 20'000)));
  };
  add_tensor("x");
  std::vector<std::string> open{"x"};  // ends of branches
  for (int i = 0; i < atoms; ++i) {
    v1::CostGraph::Atom* atom = message.add_atoms();
    atom->set_id("a" + std::to_string(i));
    const bool joins = open.size() > 1 && (open.size() == 3 || pick(random, 0, 3) == 0);
    const std::size_t from = static_cast<std::size_t>(pick(random, 0, int(open.size()) - 1));
    atom->add_inputs(open[from]);
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(from));
    if (joins || i + 1 == atoms) {
      for (const std::string& id : open) atom->add_inputs(id);
      open.clear();
    }
    const std::string out = "t" + std::to_string(i);
    atom->add_outputs(out);
    add_tensor(out);
    open.push_back(out);
    if (open.size() < 3 && pick(random, 0, 5) == 0) {
      open.push_back(atom->inputs(0));  // a shortcut past this atom
    }
    const double ms = real(random, 0.1, 5);
    atom->add_latency_ms(ms);
    atom->add_latency_ms(ms / real(random, 0.8, 8));
    atom->set_weight_bytes(static_cast<std::uint64_t>(pick(random, 0, 1000)));
    atom->set_activation_bytes(static_cast<std::uint64_t>(pick(random, 0, 500)));
    weights += atom->weight_bytes();
  }
  const auto share = [&](double low, double high) {
    return static_cast<std::uint64_t>(static_cast<double>(weights) * real(random, low, high)) + 500;
  };
  for (const char* name : {"device", "edge"}) message.add_tiers()->set_name(name);
  message.mutable_tiers(0)->set_memory_bytes(share(0.6, 0.9));
  message.mutable_tiers(1)->set_memory_bytes(share(0.45, 0.8));
  for (int from = 0; from < 2; ++from) {
    v1::CostGraph::Link* link = message.add_links();
    link->set_from(message.tiers(from).name());
    link->set_to(message.tiers(1 - from).name());
    link->set_bytes_per_second(1e6 * real(random, 0.5, 5));
    link->set_latency_ms(real(random, 0, 4));
  }
  v1::CostGraph::Endpoint* input = message.add_inputs();
  input->set_tensor("x");
  input->set_tier("device");
  v1::CostGraph::Endpoint* output = message.add_outputs();
  output->set_tensor("t" + std::to_string(atoms - 1));
  output->set_tier("device");
  return message;
}

// Written straight from the message, apart from the planner. Binary p[i]: atom i is on the edge.
// Per tensor two shares, of sending it up and down; per atom the moves until it runs.
class Program {
 public:
  explicit Program(const v1::CostGraph& message) : message_(message), model_(Cbc_newModel()) {
    Cbc_setLogLevel(model_, 0);
    add_atoms();
    for (int t = 0; t < message.tensors_size(); ++t) add_tensor(message.tensors(t));
    for (int tier = 0; tier < 2; ++tier) add_memory(tier);
    add_moves();
  }
  ~Program() { Cbc_deleteModel(model_); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Milliseconds of the optimum, constants included.
  double solve() {
    Cbc_setAllowableGap(model_, 0);
    Cbc_setAllowableFractionGap(model_, 0);
    Cbc_solve(model_);
    EXPECT_TRUE(Cbc_isProvenOptimal(model_));
    return Cbc_getObjValue(model_) + constant_;
  }

 private:
  int add_column(double upper, double cost, bool integer) {
    Cbc_addCol(model_, "", 0, upper, cost, integer ? 1 : 0, 0, nullptr, nullptr);
    return columns_++;
  }
  using Terms = std::vector<std::pair<int, double>>;
  void at_least(const Terms& terms, double right) {
    std::vector<int> columns;
    std::vector<double> factors;
    for (const auto& [column, factor] : terms) {
      columns.push_back(column);
      factors.push_back(factor);
    }
    Cbc_addRow(model_, "", static_cast<int>(columns.size()), columns.data(), factors.data(), 'G',
               right);
  }

  void add_atoms() {
    for (const auto& atom : message_.atoms()) {
      constant_ += atom.latency_ms(0);
      atoms_.push_back(add_column(1, atom.latency_ms(1) - atom.latency_ms(0), true));
    }
  }

  int producer(const std::string& tensor) const {
    for (int i = 0; i < message_.atoms_size(); ++i) {
      for (const auto& id : message_.atoms(i).outputs()) {
        if (id == tensor) return i;
      }
    }
    return -1;
  }

  // up >= p[taker] - p[maker] and down >= p[maker] - p[taker]; the device counts as 0.
  void add_tensor(const v1::CostGraph::Tensor& tensor) {
    const auto ms = [&](int link) {
      return static_cast<double>(tensor.bytes()) / message_.links(link).bytes_per_second() * 1e3;
    };
    const int up = add_column(1, ms(0), false);
    const int down = add_column(1, ms(1), false);
    const int maker = producer(tensor.id());
    for (int i = 0; i < message_.atoms_size(); ++i) {
      const auto& inputs = message_.atoms(i).inputs();
      if (std::find(inputs.begin(), inputs.end(), tensor.id()) == inputs.end()) continue;
      if (maker < 0) {
        at_least({{up, 1}, {atoms_[i], -1}}, 0);
      } else {
        at_least({{up, 1}, {atoms_[i], -1}, {atoms_[maker], 1}}, 0);
        at_least({{down, 1}, {atoms_[i], 1}, {atoms_[maker], -1}}, 0);
      }
    }
    if (tensor.id() == message_.outputs(0).tensor()) {
      at_least({{down, 1}, {atoms_[maker], -1}}, 0);
    }
  }

  // Weights and the largest activation, of atoms that are there.
  void add_memory(int tier) {
    const double sign = tier == 1 ? 1 : -1;
    const auto limit = static_cast<double>(message_.tiers(tier).memory_bytes());
    const int activation = add_column(1e9, 0, false);
    Terms terms{{activation, -1}};
    double there = 0;
    for (int i = 0; i < message_.atoms_size(); ++i) {
      const auto weight = static_cast<double>(message_.atoms(i).weight_bytes());
      const auto largest = static_cast<double>(message_.atoms(i).activation_bytes());
      terms.push_back({atoms_[i], -sign * weight});
      if (tier == 0) there += weight;
      at_least({{activation, 1}, {atoms_[i], -sign * largest}}, tier == 0 ? largest : 0);
    }
    at_least(terms, there - limit);
  }

  // moves[i] >= moves[before] + |p[i] - p[before]|; control starts and ends on the device, so half
  // of all moves lead each way.
  void add_moves() {
    std::vector<int> moves;
    for (int i = 0; i < message_.atoms_size(); ++i) moves.push_back(add_column(1e3, 0, false));
    const double there_and_back = message_.links(0).latency_ms() + message_.links(1).latency_ms();
    const int all = add_column(1e3, there_and_back / 2, false);
    for (int i = 0; i < message_.atoms_size(); ++i) {
      at_least({{moves[i], 1}, {atoms_[i], -1}}, 0);
      at_least({{all, 1}, {moves[i], -1}, {atoms_[i], -1}}, 0);
      for (const auto& id : message_.atoms(i).inputs()) {
        const int before = producer(id);
        if (before < 0) continue;
        for (double sign : {1.0, -1.0}) {
          at_least({{moves[i], 1}, {moves[before], -1}, {atoms_[i], sign}, {atoms_[before], -sign}},
                   0);
        }
      }
    }
  }

  const v1::CostGraph& message_;
  Cbc_Model* model_;
  int columns_ = 0;
  double constant_ = 0;
  std::vector<int> atoms_;
};

TEST(Milp, PlansOf150AtomsWithMemoryAndMovesAreOptimal) {
  int proven = 0;
  int limited = 0;
  int moved = 0;
  constexpr unsigned kGraphs = 6;
  for (unsigned seed = 1; seed <= kGraphs; ++seed) {
    SCOPED_TRACE("reproduce with seed " + std::to_string(seed));
    std::mt19937 random(seed);
    v1::CostGraph message = random_network(random, 150);
    const double best = Program(message).solve();
    const CostGraph costs = make_cost_graph(message, "random");
    const Plan plan = find_optimal(Evaluator(costs));
    ASSERT_TRUE(plan.evaluation.feasible()) << plan.evaluation.infeasible;
    ASSERT_LE(plan.lower_bound_ms, best * (1 + 1e-6));
    ASSERT_GE(plan.evaluation.latency_ms, best * (1 - 1e-6));
    ASSERT_LE(plan.evaluation.latency_ms * (1 - plan.gap), best * (1 + 1e-6));
    if (plan.gap == 0) {
      ASSERT_NEAR(plan.evaluation.latency_ms, best, best * 1e-6);
    }
    proven += plan.gap == 0;
    moved += plan.evaluation.moves > 1;
    for (auto& tier : *message.mutable_tiers()) tier.clear_memory_bytes();
    const CostGraph free = make_cost_graph(message, "random");
    limited += find_optimal(Evaluator(free)).evaluation.latency_ms < best * (1 - 1e-6);
  }
  EXPECT_EQ(proven, static_cast<int>(kGraphs));
  EXPECT_GE(limited, 4);  // memory makes a difference
  EXPECT_GE(moved, 4);
  std::cout << proven << " of " << kGraphs << " proven, " << limited << " limited by memory\n";
}

#else

TEST(Milp, PlansOf150AtomsWithMemoryAndMovesAreOptimal) {
  GTEST_SKIP() << "skipped: built without coinor-libcbc-dev";
}

#endif

}  // namespace
}  // namespace adamec::plan
