#include "tests/unit/plan/brute_force.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>
#include <string>

namespace adamec::testing {
namespace {

using Random = std::mt19937;

int pick(Random& random, int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random);
}

bool chance(Random& random, double probability) {
  return std::bernoulli_distribution(probability)(random);
}

double real(Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

const char* tier_name(int tier) { return tier == 0 ? "device" : "edge"; }

void add_links(Random& random, v1::CostGraph& message) {
  const double scale = std::pow(10.0, real(random, 1.5, 4.5));
  const bool with_latency = chance(random, 0.7);
  const int missing = chance(random, 0.06) ? pick(random, 0, 1) : -1;
  for (int from = 0; from < 2; ++from) {
    if (from == missing) continue;
    v1::CostGraph::Link* link = message.add_links();
    link->set_from(tier_name(from));
    link->set_to(tier_name(1 - from));
    link->set_bytes_per_second(scale * real(random, 0.3, 3));
    link->set_latency_ms(with_latency ? real(random, 0, chance(random, 0.3) ? 20 : 4) : 0);
  }
}

void add_tensor(Random& random, v1::CostGraph& message, const std::string& id) {
  v1::CostGraph::Tensor* tensor = message.add_tensors();
  tensor->set_id(id);
  tensor->set_bytes(chance(random, 0.05) ? 0 : pick(random, 1, chance(random, 0.5) ? 20 : 200));
}

void add_atoms(Random& random, v1::CostGraph& message, int count, bool uniform_ratio) {
  const double ratio = real(random, 0.2, 8);
  const bool round_numbers = chance(random, 0.2);
  const double connectivity = real(random, 0.05, 0.6);
  for (int i = 0; i < count; ++i) {
    v1::CostGraph::Atom* atom = message.add_atoms();
    atom->set_id("a" + std::to_string(i));
    for (const v1::CostGraph::Tensor& tensor : message.tensors()) {
      if (chance(random, connectivity)) atom->add_inputs(tensor.id());
    }
    if (atom->inputs().empty() && chance(random, 0.9)) {
      const int recent = std::max(0, message.tensors_size() - 2);
      atom->add_inputs(message.tensors(pick(random, recent, message.tensors_size() - 1)).id());
    }
    for (int k = chance(random, 0.2) ? 2 : 1; k > 0; --k) {
      const std::string id = atom->id() + ":" + std::to_string(k);
      atom->add_outputs(id);
      add_tensor(random, message, id);
    }
    const double device = chance(random, 0.05) ? 0 : real(random, 0.1, 20);
    const double edge = uniform_ratio ? device / ratio : device / real(random, 0.1, 10);
    atom->add_latency_ms(round_numbers ? std::round(device) : device);
    atom->add_latency_ms(round_numbers ? std::round(edge) : edge);
    atom->set_weight_bytes(chance(random, 0.3) ? 0 : pick(random, 1, 100));
    atom->set_activation_bytes(pick(random, 0, 40));
    if (chance(random, 0.08)) atom->add_tiers(tier_name(pick(random, 0, 1)));
  }
}

void add_outputs(Random& random, v1::CostGraph& message) {
  std::set<std::string> consumed;
  for (const auto& atom : message.atoms())
    consumed.insert(atom.inputs().begin(), atom.inputs().end());
  const int style = pick(random, 0, 3);  // all on the device, all on the edge, anywhere, mixed
  for (const v1::CostGraph::Tensor& tensor : message.tensors()) {
    const bool result =
        consumed.count(tensor.id()) == 0 ? chance(random, 0.85) : chance(random, 0.05);
    if (!result) continue;
    v1::CostGraph::Endpoint* output = message.add_outputs();
    output->set_tensor(tensor.id());
    const int tier = style == 3 ? pick(random, 0, 2) : style;
    if (tier < 2) output->set_tier(tier_name(tier));
  }
}

}  // namespace

v1::CostGraph random_cost_graph(Random& random, int max_atoms) {
  v1::CostGraph message;
  message.set_name("random");
  const int atoms = pick(random, 1, max_atoms);
  const bool limited = chance(random, 0.3);
  for (int tier = 0; tier < 2; ++tier) {
    v1::CostGraph::Tier* added = message.add_tiers();
    added->set_name(tier_name(tier));
    if (limited && chance(random, 0.7)) {
      added->set_memory_bytes(pick(random, 40, 40 + 45 * atoms));
    }
  }
  add_links(random, message);
  const bool mixed = chance(random, 0.1);
  const int home = chance(random, 0.85) ? 0 : 1;
  for (int i = pick(random, 1, 2); i > 0; --i) {
    const std::string id = "x" + std::to_string(i);
    add_tensor(random, message, id);
    v1::CostGraph::Endpoint* input = message.add_inputs();
    input->set_tensor(id);
    input->set_tier(tier_name(mixed ? pick(random, 0, 1) : home));
  }
  add_atoms(random, message, atoms, chance(random, 0.4));
  add_outputs(random, message);
  return message;
}

Simulator::Simulator(const v1::CostGraph& message) : message_(message) {
  if (!message.inputs().empty()) start_tier_ = message.inputs(0).tier() == "edge";
  std::map<std::string, std::size_t> producer;  // tensor -> task
  for (int i = 0; i < message.atoms_size(); ++i) {
    for (const std::string& id : message.atoms(i).outputs()) producer[id] = tasks_.size();
    tasks_.emplace_back();
  }
  for (const auto& input : message.inputs()) {
    const int tier = input.tier() == "edge";
    if (tier == start_tier_) continue;
    const auto needed = [&](const auto& names) {
      return std::find(names.begin(), names.end(), input.tensor()) != names.end();
    };
    bool used = false;
    for (const auto& atom : message.atoms()) used = used || needed(atom.inputs());
    for (const auto& output : message.outputs()) {
      used = used || (output.tensor() == input.tensor() && !output.tier().empty());
    }
    if (!used) continue;
    producer[input.tensor()] = tasks_.size();
    tasks_.push_back({tier, 0});
  }
  for (int i = 0; i < message.atoms_size(); ++i) {
    for (const std::string& id : message.atoms(i).inputs()) {
      if (producer.count(id)) tasks_[i].before |= 1u << producer[id];
    }
  }
  for (const auto& output : message.outputs()) {
    if (output.tier().empty()) continue;
    const int tier = output.tier() == "edge";
    if (end_tier_ < 0) end_tier_ = tier;
    const std::uint32_t before =
        producer.count(output.tensor()) ? 1u << producer[output.tensor()] : 0;
    tasks_.push_back({tier, before});
  }
}

int Simulator::tier_of(std::size_t task, std::uint32_t placement) const {
  return tasks_[task].fixed_tier >= 0 ? tasks_[task].fixed_tier
                                      : static_cast<int>(placement >> task & 1);
}

int Simulator::moves(std::uint32_t placement) const {
  const std::uint32_t all = (1u << tasks_.size()) - 1;
  std::uint32_t done = 0;
  int tier = start_tier_;
  for (int moves = 0;; ++moves, tier = 1 - tier) {
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t i = 0; i < tasks_.size(); ++i) {
        const bool ready = !(done >> i & 1) && (tasks_[i].before & ~done) == 0;
        if (ready && tier_of(i, placement) == tier) {
          done |= 1u << i;
          progress = true;
        }
      }
    }
    if (done == all && (end_tier_ < 0 || end_tier_ == tier)) return moves;
  }
}

int Simulator::fewest_moves_by_search(std::uint32_t placement) const {
  const std::uint32_t all = (1u << tasks_.size()) - 1;
  std::vector<int> best(2 * (std::size_t{all} + 1), -1);
  std::deque<std::pair<std::uint32_t, int>> queue{{std::uint32_t(start_tier_), 0}};
  while (!queue.empty()) {  // 0-1 breadth-first search over (tasks done, tier)
    const auto [state, moves] = queue.front();
    queue.pop_front();
    if (best[state] >= 0) continue;
    best[state] = moves;
    const std::uint32_t done = state >> 1;
    const int tier = static_cast<int>(state & 1);
    if (done == all && (end_tier_ < 0 || end_tier_ == tier)) return moves;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const bool ready = !(done >> i & 1) && (tasks_[i].before & ~done) == 0;
      if (ready && tier_of(i, placement) == tier) queue.push_front({state | 2u << i, moves});
    }
    queue.push_back({state ^ 1u, moves + 1});
  }
  return -1;
}

bool Simulator::has_mixed_endpoints() const {
  for (std::size_t i = atoms(); i < tasks_.size(); ++i) {
    if (tasks_[i].before == 0 || tasks_[i].fixed_tier != end_tier_) return true;
  }
  return false;
}

// Dijkstra's algorithm over (tasks done, tier, whether a block has begun there); a move costs more
// than all blocks together.
int Simulator::fewest_blocks_by_search(std::uint32_t placement) const {
  constexpr int kMove = 64;
  const std::uint32_t all = (1u << tasks_.size()) - 1;
  std::map<std::uint32_t, int> best;
  std::set<std::pair<int, std::uint32_t>> open{{0, std::uint32_t(start_tier_) << 1}};
  while (!open.empty()) {
    const auto [cost, state] = *open.begin();
    open.erase(open.begin());
    if (!best.emplace(state, cost).second) continue;
    const std::uint32_t done = state >> 2;
    const int tier = static_cast<int>(state >> 1 & 1);
    const std::uint32_t begun = state & 1;
    if (done == all && (end_tier_ < 0 || end_tier_ == tier)) return cost % kMove;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      const bool ready = !(done >> i & 1) && (tasks_[i].before & ~done) == 0;
      if (!ready || tier_of(i, placement) != tier) continue;
      const bool atom = static_cast<int>(i) < atoms();
      open.insert({cost + (atom && begun == 0 ? 1 : 0), (state | 4u << i) | (atom ? 1u : 0u)});
    }
    open.insert({cost + kMove, (state ^ 2u) & ~1u});
  }
  return -1;
}

double Simulator::latency_ms(std::uint32_t placement) const {
  double rate[2] = {0, 0};  // per tier it leaves from; 0: no link
  double move[2] = {0, 0};
  for (const auto& link : message_.links()) {
    rate[link.from() == "edge"] = link.bytes_per_second();
    move[link.from() == "edge"] = link.latency_ms();
  }
  double total = 0;
  double weights[2] = {0, 0};
  double activation[2] = {0, 0};
  std::map<std::string, int> home;
  std::map<std::string, bool> wanted[2];
  for (const auto& input : message_.inputs()) home[input.tensor()] = input.tier() == "edge";
  for (int i = 0; i < message_.atoms_size(); ++i) {
    const v1::CostGraph::Atom& atom = message_.atoms(i);
    const int tier = static_cast<int>(placement >> i & 1);
    const auto& tiers = atom.tiers();
    if (!tiers.empty() && std::find(tiers.begin(), tiers.end(), tier_name(tier)) == tiers.end()) {
      return kImpossible;
    }
    total += atom.latency_ms(tier);
    weights[tier] += static_cast<double>(atom.weight_bytes());
    activation[tier] = std::max(activation[tier], static_cast<double>(atom.activation_bytes()));
    for (const std::string& id : atom.outputs()) home[id] = tier;
    for (const std::string& id : atom.inputs()) wanted[tier][id] = true;
  }
  for (const auto& output : message_.outputs()) {
    if (!output.tier().empty()) wanted[output.tier() == "edge"][output.tensor()] = true;
  }
  for (int tier = 0; tier < 2; ++tier) {
    const auto limit = static_cast<double>(message_.tiers(tier).memory_bytes());
    if (limit > 0 && weights[tier] + activation[tier] > limit) return kImpossible;
  }
  for (const auto& tensor : message_.tensors()) {
    const int from = home.at(tensor.id());
    if (!wanted[1 - from][tensor.id()]) continue;
    if (rate[from] <= 0) return kImpossible;
    total += static_cast<double>(tensor.bytes()) / rate[from] * 1000;
  }
  const int count = moves(placement);
  for (int i = 0, tier = start_tier_; i < count; ++i, tier = 1 - tier) {
    if (rate[tier] <= 0) return kImpossible;
    total += move[tier];
  }
  return total;
}

double Simulator::best_ms() const {
  double best = kImpossible;
  for (std::uint32_t placement = 0; placement < 1u << message_.atoms_size(); ++placement) {
    best = std::min(best, latency_ms(placement));
  }
  return best;
}

}  // namespace adamec::testing
