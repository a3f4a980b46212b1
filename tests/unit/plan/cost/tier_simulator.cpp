#include "tests/unit/plan/cost/tier_simulator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <queue>
#include <set>
#include <tuple>

#include "tests/unit/plan/brute_force.h"

namespace adamec::testing {
namespace {

constexpr double kInfinite = TierSimulator::kImpossible;

int pick(std::mt19937& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

double real(std::mt19937& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

bool chance(std::mt19937& random, double probability) {
  return std::bernoulli_distribution(probability)(random);
}

}  // namespace

v1::CostGraph random_three_tier_graph(std::mt19937& random, int max_atoms) {
  v1::CostGraph message = random_cost_graph(random, max_atoms);
  const int atoms = message.atoms_size();
  message.add_tiers()->set_name("cloud");
  if (message.tiers(0).memory_bytes() > 0 && chance(random, 0.5)) {
    message.mutable_tiers(2)->set_memory_bytes(pick(random, 40, 40 + 30 * atoms));
  }
  const double latency = message.links().empty() ? 0 : message.links(0).latency_ms();
  const double rate = message.links().empty() ? 1e4 : message.links(0).bytes_per_second();
  const auto add_link = [&](const char* from, const char* to) {
    v1::CostGraph::Link* link = message.add_links();
    link->set_from(from);
    link->set_to(to);
    link->set_bytes_per_second(rate * real(random, 0.2, 4));
    if (latency > 0) link->set_latency_ms(real(random, 0, 2 * latency));
    if (chance(random, 0.2)) link->set_serialisation_ms_per_byte(real(random, 0, 0.05));
  };
  add_link("edge", "cloud");
  add_link("cloud", "edge");
  if (chance(random, 0.5)) {
    add_link("device", "cloud");
    if (chance(random, 0.9)) add_link("cloud", "device");
  }
  if (chance(random, 0.2)) {
    for (auto& tier : *message.mutable_tiers()) tier.set_block_overhead_ms(real(random, 0, 4));
  }
  for (auto& atom : *message.mutable_atoms()) {
    atom.add_latency_ms(atom.latency_ms(1) * real(random, 0.1, 2));
    if (atom.tiers_size() == 1 && chance(random, 0.3)) atom.add_tiers("cloud");
  }
  for (auto& output : *message.mutable_outputs()) {
    if (!output.tier().empty() && chance(random, 0.1)) output.set_tier("cloud");
  }
  return message;
}

TierSimulator::TierSimulator(const v1::CostGraph& message)
    : message_(message),
      tiers_(message.tiers_size()),
      rate_(tiers_, std::vector<double>(tiers_, kInfinite)),
      move_(rate_) {
  for (const auto& link : message.links()) {
    const int from = tier(link.from());
    const int to = tier(link.to());
    rate_[from][to] = 1000 / link.bytes_per_second() + link.serialisation_ms_per_byte();
    move_[from][to] = link.latency_ms();
  }
  std::map<std::string, unsigned> producer;
  for (const auto& atom : message.atoms()) {
    for (const auto& id : atom.outputs()) producer[id] = 1u << tasks_.size();
    tasks_.push_back({-1, true, 0});
  }
  if (!message.inputs().empty()) start_ = tier(message.inputs(0).tier());
  std::set<std::string> needed;
  for (const auto& atom : message.atoms())
    needed.insert(atom.inputs().begin(), atom.inputs().end());
  for (const auto& output : message.outputs()) {
    if (!output.tier().empty()) needed.insert(output.tensor());
  }
  for (const auto& input : message.inputs()) {
    const int at = tier(input.tier());
    if (at == start_ || needed.count(input.tensor()) == 0) continue;
    producer[input.tensor()] = 1u << tasks_.size();
    tasks_.push_back({at, false, 0});
  }
  for (int i = 0; i < message.atoms_size(); ++i) {
    for (const auto& id : message.atoms(i).inputs()) tasks_[i].before |= producer[id];
  }
  for (const auto& output : message.outputs()) {
    if (output.tier().empty()) continue;
    const int at = tier(output.tier());
    if (end_ < 0) end_ = at;
    if (at == end_ && message.atoms_size() == 0) continue;
    tasks_.push_back({at, false, producer[output.tensor()]});
  }
}

int TierSimulator::tier(const std::string& name) const {
  for (int i = 0; i < message_.tiers_size(); ++i) {
    if (message_.tiers(i).name() == name) return i;
  }
  return -1;
}

// A direct link where there is one; three tiers leave one tier that may pass the tensor on.
double TierSimulator::send_ms(int home, const std::vector<char>& needed, double bytes) const {
  std::set<std::pair<int, int>> used;
  for (int to = 0; to < tiers_; ++to) {
    if (!needed[to] || to == home) continue;
    if (rate_[home][to] < kInfinite) {
      used.insert({home, to});
      continue;
    }
    int via = -1;
    for (int other = 0; other < tiers_; ++other) {
      if (other == home || other == to) continue;
      if (rate_[home][other] + rate_[other][to] < kInfinite) via = other;
    }
    if (via < 0) return kInfinite;
    used.insert({home, via});
    used.insert({via, to});
  }
  double total = 0;
  for (const auto& [from, to] : used) total += bytes * rate_[from][to];
  return total;
}

double TierSimulator::base_ms(const std::vector<int>& placement) const {
  double total = 0;
  std::map<std::string, int> home;
  std::map<std::string, std::vector<char>> needed;
  const auto need = [&](const std::string& id, int at) {
    needed.try_emplace(id, std::vector<char>(tiers_, 0)).first->second[at] = 1;
  };
  for (const auto& input : message_.inputs()) home[input.tensor()] = tier(input.tier());
  for (int i = 0; i < message_.atoms_size(); ++i) {
    total += message_.atoms(i).latency_ms(placement[i]);
    for (const auto& id : message_.atoms(i).outputs()) home[id] = placement[i];
    for (const auto& id : message_.atoms(i).inputs()) need(id, placement[i]);
  }
  for (const auto& output : message_.outputs()) {
    if (!output.tier().empty()) need(output.tensor(), tier(output.tier()));
  }
  for (const auto& tensor : message_.tensors()) {
    const auto wanted = needed.find(tensor.id());
    if (wanted == needed.end()) continue;
    total += send_ms(home.at(tensor.id()), wanted->second, static_cast<double>(tensor.bytes()));
  }
  return total;
}

double TierSimulator::control_ms(const std::vector<int>& placement, double limit) const {
  using State = std::tuple<double, unsigned, int, bool>;  // cost, done, tier, inside a block
  const unsigned all = (1u << tasks_.size()) - 1;
  std::set<std::tuple<unsigned, int, bool>> closed;
  std::priority_queue<State, std::vector<State>, std::greater<>> open;
  open.push({0, 0, start_, false});
  while (!open.empty()) {
    const auto [cost, done, at, inside] = open.top();
    open.pop();
    if (cost >= limit) break;
    if (!closed.insert({done, at, inside}).second) continue;
    if (done == all && (end_ < 0 || end_ == at)) return cost;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const int where = tasks_[i].atom ? placement[i] : tasks_[i].fixed_tier;
      if (where != at || (done >> i & 1) || (tasks_[i].before & ~done) != 0) continue;
      const bool starts = tasks_[i].atom && !inside;
      open.push({cost + (starts ? message_.tiers(at).block_overhead_ms() : 0), done | 1u << i, at,
                 inside || tasks_[i].atom});
    }
    for (int to = 0; to < tiers_; ++to) {
      if (to != at && move_[at][to] < kInfinite) open.push({cost + move_[at][to], done, to, false});
    }
  }
  return kInfinite;
}

bool TierSimulator::fits(const std::vector<int>& placement) const {
  std::vector<std::uint64_t> weights(tiers_, 0);
  std::vector<std::uint64_t> activation(tiers_, 0);
  for (int i = 0; i < message_.atoms_size(); ++i) {
    const auto& atom = message_.atoms(i);
    const auto& name = message_.tiers(placement[i]).name();
    const auto& allowed = atom.tiers();
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      return false;
    }
    weights[placement[i]] += atom.weight_bytes();
    activation[placement[i]] = std::max(activation[placement[i]], atom.activation_bytes());
  }
  for (int t = 0; t < tiers_; ++t) {
    const auto limit = message_.tiers(t).memory_bytes();
    if (limit > 0 && weights[t] + activation[t] > limit) return false;
  }
  return true;
}

double TierSimulator::latency_ms(const std::vector<int>& placement) const {
  if (!fits(placement)) return kImpossible;
  return base_ms(placement) + control_ms(placement, kInfinite);
}

double TierSimulator::best_ms() const {
  double best = kImpossible;
  std::vector<int> placement(message_.atoms_size(), 0);
  for (;;) {
    if (fits(placement)) {
      const double base = base_ms(placement);
      if (base < best) best = std::min(best, base + control_ms(placement, best - base));
    }
    std::size_t i = 0;
    while (i < placement.size() && ++placement[i] == tiers_) placement[i++] = 0;
    if (i == placement.size()) return best;
  }
}

}  // namespace adamec::testing
