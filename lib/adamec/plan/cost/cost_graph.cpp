#include "adamec/plan/cost/cost_graph.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "adamec/base/error.h"

namespace adamec::plan {
namespace {

// Larger sums of bytes or milliseconds would overflow or drown all differences.
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 50;
constexpr double kMaxMilliseconds = 1e12;
constexpr int kMaxTiers = 64;
constexpr double kMaxFactor = 1e6;  // of slowdowns, watts and joules

// Where a value stands, put into words only when something is wrong with it: "tensors[3].bytes",
// "atom 'conv1.conv2d': weight_bytes".
struct Place {
  const char* list = nullptr;
  std::size_t index = 0;
  const char* name = "";
  const v1::CostGraph::Atom* atom = nullptr;  // instead of list and index

  std::string text() const {
    if (atom != nullptr) return fmt::format("atom '{}': {}", printable(atom->id()), name);
    if (list == nullptr) return name;
    return fmt::format("{}[{}]{}{}", list, index, *name == '\0' ? "" : ".", name);
  }
};

Place field(const char* list, std::size_t index, const char* name = "") {
  return {list, index, name, nullptr};
}

class CostGraphBuilder {
 public:
  CostGraphBuilder(const v1::CostGraph& message, const std::string& source)
      : message_(message), source_(source) {}

  CostGraph build() {
    result_.name = message_.name();
    result_.source = source_;
    add_tiers();
    add_links();
    add_graph();
    add_costs();
    add_endpoints("inputs", message_.inputs(), result_.inputs);
    add_endpoints("outputs", message_.outputs(), result_.outputs);
    check_sources();
    check_connected();
    add_shared_state();
    return std::move(result_);
  }

 private:
  void check_bytes(std::uint64_t bytes, const Place& where) const {
    if (bytes > kMaxBytes) fail("{}: {}: {} is too large", source_, where.text(), bytes);
  }

  void check_milliseconds(double value, const Place& where) const {
    if (!(value >= 0) || value > kMaxMilliseconds) {
      fail("{}: {}: {} is not a time in milliseconds (expected 0 to {:g})", source_, where.text(),
           value, kMaxMilliseconds);
    }
  }

  void check_range(double value, double high, const Place& where) const {
    if (value >= 0 && value <= high) return;
    fail("{}: {}: {} is not a number from 0 to {:g}", source_, where.text(), value, high);
  }

  int tier(const std::string& name, const Place& where) const {
    const auto found = result_.find_tier(name);
    if (!found) fail("{}: {}: unknown tier '{}'", source_, where.text(), printable(name));
    return *found;
  }

  void add_tiers() {
    if (message_.tiers().empty() || message_.tiers_size() > kMaxTiers) {
      fail("{}: tiers: {} given, expected 1 to {}", source_, message_.tiers_size(), kMaxTiers);
    }
    for (int i = 0; i < message_.tiers_size(); ++i) {
      const v1::CostGraph::Tier& tier = message_.tiers(i);
      const Place where = field("tiers", static_cast<std::size_t>(i), "name");
      if (tier.name().empty()) fail("{}: {}: expected a name", source_, where.text());
      if (result_.find_tier(tier.name())) {
        fail("{}: {}: two tiers have the name '{}'", source_, where.text(), printable(tier.name()));
      }
      const auto number = [&](const char* name, double value) {
        check_range(value, kMaxFactor, field("tiers", static_cast<std::size_t>(i), name));
        return value;
      };
      slowdown_.push_back(tier.slowdown() == 0 ? 1 : number("slowdown", tier.slowdown()));
      result_.tiers.push_back({tier.name(), tier.memory_bytes(),
                               number("power_watts", tier.power_watts()),
                               number("block_overhead_ms", tier.block_overhead_ms()), 0});
    }
    result_.links.resize(result_.tiers.size() * result_.tiers.size());
  }

  void add_links() {
    for (std::size_t i = 0; i < static_cast<std::size_t>(message_.links_size()); ++i) {
      const v1::CostGraph::Link& link = message_.links(static_cast<int>(i));
      const int from = tier(link.from(), field("links", i, "from"));
      const int to = tier(link.to(), field("links", i, "to"));
      if (from == to) {
        fail("{}: {}: connects '{}' with itself", source_, field("links", i).text(), link.from());
      }
      const double rate = link.bytes_per_second();
      if (!std::isfinite(rate) || rate <= 0) {
        fail("{}: {}: {} is not a bandwidth (expected a number greater than 0)", source_,
             field("links", i, "bytes_per_second").text(), rate);
      }
      check_milliseconds(link.latency_ms(), field("links", i, "latency_ms"));
      auto& slot = result_.links[static_cast<std::size_t>(from) * result_.tiers.size() + to];
      if (slot) {
        fail("{}: {}: two links lead from '{}' to '{}'", source_, field("links", i).text(),
             printable(link.from()), printable(link.to()));
      }
      check_range(link.serialisation_ms_per_byte(), kMaxFactor,
                  field("links", i, "serialisation_ms_per_byte"));
      check_range(link.joules_per_byte(), kMaxFactor, field("links", i, "joules_per_byte"));
      slot = Link{rate, link.latency_ms(), link.serialisation_ms_per_byte(), link.joules_per_byte(),
                  std::nullopt};
    }
  }

  void add_graph() {
    std::vector<graph::TensorDescription> tensors;
    for (const v1::CostGraph::Tensor& tensor : message_.tensors()) {
      if (tensor.id().empty()) {
        fail("{}: {}: expected an id", source_, field("tensors", tensors.size(), "id").text());
      }
      check_bytes(tensor.bytes(), field("tensors", tensors.size(), "bytes"));
      check_transfer(tensor.bytes(),
                     field("tensors", tensors.size(), "bytes over the slowest link"));
      tensors.push_back({tensor.id(), tensor.bytes()});
    }
    std::vector<graph::AtomDescription> atoms;
    for (const v1::CostGraph::Atom& atom : message_.atoms()) {
      if (atom.id().empty()) {
        fail("{}: {}: expected an id", source_, field("atoms", atoms.size(), "id").text());
      }
      atoms.push_back({atom.id(),
                       {atom.inputs().begin(), atom.inputs().end()},
                       {atom.outputs().begin(), atom.outputs().end()}});
    }
    result_.graph = graph::AtomGraph(tensors, atoms, source_);
  }

  void check_transfer(std::uint64_t bytes, const Place& where) const {
    for (const auto& link : result_.links) {
      if (link) check_milliseconds(link->transfer_ms(bytes), where);
    }
  }

  void add_costs() {
    std::uint64_t all_weights = 0;
    for (const v1::CostGraph::Atom& atom : message_.atoms()) {
      const auto where = [&](const char* name) { return Place{nullptr, 0, name, &atom}; };
      check_bytes(atom.weight_bytes(), where("weight_bytes"));
      check_bytes(atom.activation_bytes(), where("activation_bytes"));
      check_bytes(all_weights += atom.weight_bytes(), Place{nullptr, 0, "sum of all weight_bytes"});
      if (static_cast<std::size_t>(atom.latency_ms_size()) != result_.tiers.size()) {
        fail("{}: {}: {} numbers, expected {}, one per tier", source_, where("latency_ms").text(),
             atom.latency_ms_size(), result_.tiers.size());
      }
      std::vector<double> latency_ms(atom.latency_ms().begin(), atom.latency_ms().end());
      for (std::size_t i = 0; i < latency_ms.size(); ++i) {
        check_milliseconds(latency_ms[i], where("latency_ms"));
        check_milliseconds(latency_ms[i] *= slowdown_[i], where("latency_ms times slowdown"));
      }
      AtomCost cost{atom.weight_bytes(), atom.activation_bytes(), std::move(latency_ms),
                    std::vector<char>(result_.tiers.size(), atom.tiers().empty() ? 1 : 0)};
      for (const std::string& name : atom.tiers()) {
        char& allowed = cost.allowed[tier(name, where("tiers"))];
        if (allowed) {
          fail("{}: {}: '{}' is listed twice", source_, where("tiers").text(), printable(name));
        }
        allowed = 1;
      }
      result_.atoms.push_back(std::move(cost));
    }
  }

  template <typename Messages>
  void add_endpoints(const char* list, const Messages& messages, std::vector<Endpoint>& endpoints) {
    std::set<int> seen;
    for (const v1::CostGraph::Endpoint& message : messages) {
      const std::size_t index = endpoints.size();
      const auto tensor = result_.graph.find_tensor(message.tensor());
      if (!tensor) {
        fail("{}: {}: unknown tensor '{}'", source_, field(list, index, "tensor").text(),
             printable(message.tensor()));
      }
      if (!seen.insert(*tensor).second) {
        fail("{}: {}: tensor '{}' is listed twice", source_, field(list, index, "tensor").text(),
             printable(message.tensor()));
      }
      const bool input = &endpoints == &result_.inputs;
      const int producer = result_.graph.tensors()[*tensor].producer;
      if (input && producer >= 0) {
        fail("{}: {}: tensor '{}' is produced by atom '{}'", source_,
             field(list, index, "tensor").text(), printable(message.tensor()),
             printable(result_.graph.atoms()[producer].id));
      }
      int at = -1;
      if (input || !message.tier().empty()) at = tier(message.tier(), field(list, index, "tier"));
      endpoints.push_back({*tensor, at});
    }
  }

  // Tiers that every plan needs, for inputs, results or atoms that may run nowhere else, hang
  // together, whichever way the links lead; and not all are cut off.
  void check_connected() const {
    if (result_.tiers.size() > 1 && message_.links().empty()) refuse_path(0, 1);
    std::vector<char> needed(result_.tiers.size(), 0);
    for (const auto* endpoints : {&result_.inputs, &result_.outputs}) {
      for (const Endpoint& endpoint : *endpoints) {
        if (endpoint.tier >= 0) needed[static_cast<std::size_t>(endpoint.tier)] = 1;
      }
    }
    for (const AtomCost& atom : result_.atoms) {
      if (std::count(atom.allowed.begin(), atom.allowed.end(), 1) != 1) continue;
      const auto only = std::find(atom.allowed.begin(), atom.allowed.end(), 1);
      needed[static_cast<std::size_t>(only - atom.allowed.begin())] = 1;
    }
    const auto first = std::find(needed.begin(), needed.end(), 1);
    if (first == needed.end()) return;
    const auto start = static_cast<std::size_t>(first - needed.begin());
    const std::vector<char> reached = reached_from(start);
    for (std::size_t tier = 0; tier < needed.size(); ++tier) {
      if (needed[tier] && !reached[tier]) refuse_path(start, tier);
    }
  }

  std::vector<char> reached_from(std::size_t start) const {
    const std::size_t tiers = result_.tiers.size();
    std::vector<char> reached(tiers, 0);
    std::vector<std::size_t> waiting = {start};
    reached[start] = 1;
    while (!waiting.empty()) {
      const std::size_t at = waiting.back();
      waiting.pop_back();
      for (std::size_t other = 0; other < tiers; ++other) {
        const bool linked = result_.links[at * tiers + other] || result_.links[other * tiers + at];
        if (!linked || reached[other]) continue;
        reached[other] = 1;
        waiting.push_back(other);
      }
    }
    return reached;
  }

  [[noreturn]] void refuse_path(std::size_t a, std::size_t b) const {
    fail("{}: links: no path between tiers '{}' and '{}'", source_,
         printable(result_.tiers[a].name), printable(result_.tiers[b].name));
  }

  void add_shared_state() {
    for (const std::string& id : message_.together()) {
      const auto atom = result_.graph.find_atom(id);
      if (!atom) {
        fail("{}: {}: unknown atom '{}'", source_,
             field("together", result_.shared_state.size()).text(), printable(id));
      }
      result_.shared_state.push_back(*atom);
    }
  }

  void check_sources() const {
    std::vector<char> available(result_.graph.tensors().size(), 0);
    for (const Endpoint& input : result_.inputs) {
      available[input.tensor] = 1;
    }
    for (std::size_t i = 0; i < available.size(); ++i) {
      const graph::Tensor& tensor = result_.graph.tensors()[i];
      if (tensor.producer < 0 && !available[i]) {
        fail("{}: tensor '{}': no atom produces it and it is not among the inputs", source_,
             printable(tensor.id));
      }
    }
  }

  const v1::CostGraph& message_;
  const std::string& source_;
  CostGraph result_;
  std::vector<double> slowdown_;  // per tier
};

}  // namespace

std::optional<int> CostGraph::find_tier(const std::string& tier) const {
  const auto at = std::find_if(tiers.begin(), tiers.end(),
                               [&](const Tier& candidate) { return candidate.name == tier; });
  if (at == tiers.end()) return std::nullopt;
  return static_cast<int>(at - tiers.begin());
}

CostGraph make_cost_graph(const v1::CostGraph& message, const std::string& source) {
  return CostGraphBuilder(message, source).build();
}

}  // namespace adamec::plan
