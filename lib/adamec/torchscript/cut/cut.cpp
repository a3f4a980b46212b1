#include "adamec/torchscript/cut/cut.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <set>

#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"

namespace adamec::torchscript {
namespace {

bool is_inside(const jit::Node* node, const jit::Node* outer) {
  for (const jit::Block* block = node->owningBlock(); block != nullptr;) {
    const jit::Node* owner = block->owningNode();
    if (owner == outer) return true;
    block = owner == nullptr ? nullptr : owner->owningBlock();
  }
  return false;
}

// Schemas say which results are views, but not of all operators that may return their argument as
// it is (aten::dropout); these never do.
bool allocates(const jit::Node* node) {
  static const std::set<c10::Symbol> allocators = {
      c10::aten::zeros,      c10::aten::ones,      c10::aten::full,      c10::aten::empty,
      c10::aten::zeros_like, c10::aten::ones_like, c10::aten::full_like, c10::aten::empty_like,
      c10::aten::new_zeros,  c10::aten::new_ones,  c10::aten::new_full,  c10::aten::new_empty,
      c10::aten::arange,     c10::aten::clone};
  return allocators.count(node->kind()) != 0;
}

// Whether the value is memory that an operator inside `outer` allocates, or a view of it.
bool is_made_inside(const jit::Value* value, const jit::Node* outer) {
  while (true) {
    const jit::Node* node = value->node();
    const auto* schema = node->maybeSchema();
    if (schema == nullptr || !node->kind().is_aten() || !is_inside(node, outer) ||
        value->offset() >= schema->returns().size()) {
      return false;
    }
    const auto* alias = schema->returns()[value->offset()].alias_info();
    if (alias == nullptr) return allocates(node);
    const auto* viewed =
        schema->arguments().empty() ? nullptr : schema->arguments()[0].alias_info();
    if (viewed == nullptr || viewed->beforeSets() != alias->beforeSets()) return false;
    value = node->inputs()[0];
  }
}

// Writes to memory that is there before `outer` runs.
bool writes(jit::Node* node, const jit::Node* outer) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr || !schema->is_mutable()) return false;
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    if (i >= schema->arguments().size()) return true;  // variadic
    const auto* alias = schema->arguments()[i].alias_info();
    if (alias != nullptr && alias->isWrite() && !is_made_inside(node->inputs()[i], outer)) {
      return true;
    }
  }
  return false;
}

void collect_writers(jit::Node* node, const jit::Node* outer, std::vector<jit::Node*>& writers) {
  if (writes(node, outer)) writers.push_back(node);
  for (jit::Block* block : node->blocks()) {
    for (jit::Node* inner : block->nodes()) collect_writers(inner, outer, writers);
  }
}

class Cutter {
 public:
  Cutter(const Residual& residual, std::uint64_t shared_weight_bytes)
      : residual_(residual), shared_weight_bytes_(shared_weight_bytes) {
    for (jit::Node* node : residual.graph->nodes()) {
      index_[node] = static_cast<int>(nodes_.size());
      nodes_.push_back(node);
    }
    group_.resize(nodes_.size());
    std::iota(group_.begin(), group_.end(), 0);
    for (const Residual::Weight& weight : residual.weights) weights_.insert(weight.value);
  }

  std::vector<AtomDraft> run() {
    join_shared_memory();
    find_travelling();
    for (jit::Node* node : nodes_) {
      if (!travels(node)) join_what_is_no_tensor(node);
    }
    join_cycles();
    return drafts();
  }

 private:
  int find(int node) {
    while (group_[node] != node) node = group_[node] = group_[group_[node]];
    return node;
  }
  void join(int a, int b) {
    a = find(a);
    b = find(b);
    group_[std::max(a, b)] = std::min(a, b);
  }
  bool travels(jit::Node* node) const { return travelling_.count(node) != 0; }

  // Whatever touches memory before an operator writes to it stays with that operator. What reads it
  // afterwards gets the final content like any other tensor, except where that is an input of the
  // model: no atom makes it, so nothing would order the two.
  void join_shared_memory() {
    std::unordered_map<jit::Node*, std::vector<jit::Node*>> writers;
    for (jit::Node* node : nodes_) {
      std::vector<jit::Node*> inside;
      collect_writers(node, node, inside);
      if (!inside.empty()) writers[node] = std::move(inside);
    }
    if (writers.empty()) return;
    const jit::AliasDb aliases(residual_.graph);
    for (jit::Node* node : nodes_) {
      if (node->kind() == c10::prim::Constant) continue;
      jit::ValueSet values(node->outputs().begin(), node->outputs().end());
      jit::ValueSet inputs;
      for_each_use(node, [&](jit::Value* value) {
        values.insert(value);
        if (value->node() == residual_.graph->param_node()) inputs.insert(value);
      });
      for (const auto& [writer, inside] : writers) {
        const bool before = index_.at(node) < index_.at(writer);
        const auto touches = [&](jit::Node* write) {
          return aliases.writesToAlias(write, before ? values : inputs);
        };
        if (writer != node && std::none_of(inside.begin(), inside.end(), touches)) continue;
        fixed_.insert(node);
        join(index_.at(writer), index_.at(node));
      }
    }
  }

  // Code without tensors as results is copied into the atoms that need it.
  void find_travelling() {
    for (jit::Node* node : nodes_) {
      const bool construct = node->kind() == c10::prim::ListConstruct ||
                             node->kind() == c10::prim::TupleConstruct ||
                             node->kind() == c10::prim::DictConstruct;
      const bool value_free =
          node->kind() == c10::prim::Constant || node->kind() == c10::prim::Uninitialized;
      if (value_free || residual_.portable.count(node) != 0 ||
          ((construct || is_scalar_code(node)) && fixed_.count(node) == 0)) {
        travelling_.insert(node);
      }
    }
  }

  // The values of other atoms, inputs and weights that the node needs, directly or through code
  // that travels with it; `code` gathers that code.
  void needs(jit::Node* node, std::vector<jit::Value*>& values, std::set<int>& code) const {
    for_each_use(node, [&](jit::Value* value) {
      jit::Node* producer = value->node();
      const auto at = index_.find(producer);
      if (at == index_.end()) {  // an input of the graph, or a value inside the node's own blocks
        if (producer->kind() == c10::prim::Param &&
            producer->owningBlock() == residual_.graph->block()) {
          values.push_back(value);
        }
      } else if (!travels(producer)) {
        values.push_back(value);
      } else if (code.insert(at->second).second) {
        needs(producer, values, code);
      }
    });
  }

  void join_what_is_no_tensor(jit::Node* node) {
    std::vector<jit::Value*> values;
    std::set<int> code;
    needs(node, values, code);
    for (jit::Value* value : values) {
      const auto producer = index_.find(value->node());
      if (producer != index_.end() && !is_tensor(value)) join(producer->second, index_.at(node));
    }
  }

  // Groups, by their first node, that produce what the group needs.
  std::map<int, std::set<int>> group_edges() {
    std::map<int, std::set<int>> edges;
    for (jit::Node* node : nodes_) {
      if (travels(node)) continue;
      const int group = find(index_.at(node));
      std::set<int>& sources = edges[group];
      std::vector<jit::Value*> values;
      std::set<int> code;
      needs(node, values, code);
      for (jit::Value* value : values) {
        const auto producer = index_.find(value->node());
        if (producer != index_.end() && find(producer->second) != group) {
          sources.insert(find(producer->second));
        }
      }
    }
    return edges;
  }

  // Merges groups that need each other: strongly connected components (Tarjan, without recursion).
  void join_cycles() {
    const auto edges = group_edges();
    struct State {
      int order = 0;
      int low = 0;
      bool open = false;
    };
    std::map<int, State> states;
    std::vector<int> open;
    int counter = 0;
    for (const auto& [root, unused] : edges) {
      if (states.count(root) != 0) continue;
      std::vector<std::pair<int, std::set<int>::const_iterator>> path;
      const auto enter = [&](int group) {
        ++counter;
        states[group] = {counter, counter, true};
        open.push_back(group);
        path.emplace_back(group, edges.at(group).begin());
      };
      enter(root);
      while (!path.empty()) {
        auto& [group, next] = path.back();
        if (next != edges.at(group).end()) {
          const int target = *next++;
          const int from = group;
          if (states.count(target) == 0) {
            enter(target);
          } else if (states[target].open) {
            states[from].low = std::min(states[from].low, states[target].order);
          }
          continue;
        }
        const int done = group;
        path.pop_back();
        if (!path.empty()) {
          State& parent = states[path.back().first];
          parent.low = std::min(parent.low, states[done].low);
        }
        if (states[done].low != states[done].order) continue;
        for (int member = -1; member != done;) {
          member = open.back();
          open.pop_back();
          states[member].open = false;
          join(member, done);
        }
      }
    }
  }

  // Groups so that producers come first, else in program order.
  std::vector<int> execution_order() {
    const auto edges = group_edges();
    std::map<int, std::vector<int>> consumers;
    std::map<int, std::size_t> waiting;
    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    for (const auto& [group, sources] : edges) {
      waiting[group] = sources.size();
      for (int source : sources) consumers[source].push_back(group);
      if (sources.empty()) ready.push(group);
    }
    std::vector<int> order;
    while (!ready.empty()) {
      const int group = ready.top();
      ready.pop();
      order.push_back(group);
      for (int consumer : consumers[group]) {
        if (--waiting[consumer] == 0) ready.push(consumer);
      }
    }
    return order;
  }

  std::vector<AtomDraft> drafts() {
    std::map<int, std::vector<jit::Node*>> members;
    for (jit::Node* node : nodes_) {
      if (!travels(node)) members[find(index_.at(node))].push_back(node);
    }
    std::unordered_set<const jit::Value*> results(residual_.graph->outputs().begin(),
                                                  residual_.graph->outputs().end());
    std::vector<AtomDraft> atoms;
    std::unordered_map<jit::Value*, int> readers;
    for (const int group : execution_order()) {
      AtomDraft atom;
      atom.operators = members.at(group);
      std::set<int> subgraph;
      std::vector<jit::Value*> values;
      for (jit::Node* node : atom.operators) {
        subgraph.insert(index_.at(node));
        needs(node, values, subgraph);
      }
      for (const int node : subgraph) atom.subgraph.nodes.push_back(nodes_[node]);
      std::unordered_set<jit::Value*> seen;
      for (jit::Value* value : values) {
        const auto producer = index_.find(value->node());
        if (producer != index_.end() && find(producer->second) == group) continue;
        if (!seen.insert(value).second) continue;
        if (weights_.count(value) != 0) {
          atom.weights.push_back(value);
          ++readers[value];
        } else {
          atom.subgraph.inputs.push_back(value);
          results.insert(value);
        }
      }
      atoms.push_back(std::move(atom));
    }
    for (AtomDraft& atom : atoms) {
      for (jit::Node* node : atom.operators) {
        for (jit::Value* output : node->outputs()) {
          if (results.count(output) != 0) atom.subgraph.outputs.push_back(output);
        }
      }
      for (jit::Value* weight : atom.weights) {
        if (readers[weight] > 1 && tensor_info(weight).bytes() >= shared_weight_bytes_) {
          atom.subgraph.inputs.push_back(weight);
        }
      }
    }
    // What produces nothing that is used has no effect that could be seen.
    std::erase_if(atoms, [](const AtomDraft& atom) { return atom.subgraph.outputs.empty(); });
    return atoms;
  }

  const Residual& residual_;
  const std::uint64_t shared_weight_bytes_;
  std::vector<jit::Node*> nodes_;
  std::unordered_map<jit::Node*, int> index_;
  std::vector<int> group_;
  std::unordered_set<jit::Node*> fixed_;  // touch memory that is written to
  std::unordered_set<jit::Node*> travelling_;
  std::unordered_set<const jit::Value*> weights_;
};

}  // namespace

std::vector<AtomDraft> cut(const Residual& residual, std::uint64_t shared_weight_bytes) {
  return Cutter(residual, shared_weight_bytes).run();
}

}  // namespace adamec::torchscript
