#include "adamec/torchscript/cut/cut.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <set>

#include "adamec/torchscript/cut/memory_writes.h"
#include "adamec/torchscript/cut/strongly_connected.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"

namespace adamec::torchscript {
namespace {

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
      std::vector<jit::Node*> inside = writers_in(node);
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

  // Merges groups that need each other.
  void join_cycles() {
    for (const auto& component : strongly_connected(group_edges())) {
      for (const int group : component) join(group, component.front());
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

  // The atom of these operators, without outputs and shared weights.
  AtomDraft draft(const std::vector<jit::Node*>& operators) {
    AtomDraft atom;
    atom.operators = operators;
    const int group = find(index_.at(operators.front()));
    std::set<int> members;
    std::vector<jit::Value*> values;
    for (jit::Node* node : operators) {
      members.insert(index_.at(node));
      needs(node, values, members);
    }
    for (const int member : members) atom.subgraph.nodes.push_back(nodes_[member]);
    std::unordered_set<jit::Value*> seen;
    for (jit::Value* value : values) {
      const auto producer = index_.find(value->node());
      if (producer != index_.end() && find(producer->second) == group) continue;
      if (!seen.insert(value).second) continue;
      auto& place = weights_.count(value) != 0 ? atom.weights : atom.subgraph.inputs;
      place.push_back(value);
    }
    return atom;
  }

  // What is read by a later atom, or is a result of the graph, is an output. Atoms without any are
  // dropped: nobody sees that they run.
  void set_outputs(std::vector<AtomDraft>& atoms) const {
    std::unordered_set<const jit::Value*> results(residual_.graph->outputs().begin(),
                                                  residual_.graph->outputs().end());
    for (auto atom = atoms.rbegin(); atom != atoms.rend(); ++atom) {
      for (jit::Node* node : atom->operators) {
        for (jit::Value* output : node->outputs()) {
          if (results.count(output) != 0) atom->subgraph.outputs.push_back(output);
        }
      }
      if (atom->subgraph.outputs.empty()) continue;
      results.insert(atom->subgraph.inputs.begin(), atom->subgraph.inputs.end());
    }
    std::erase_if(atoms, [](const AtomDraft& atom) { return atom.subgraph.outputs.empty(); });
  }

  // Large weights that several atoms read become inputs of these.
  void share_weights(std::vector<AtomDraft>& atoms) const {
    std::unordered_map<jit::Value*, int> readers;
    for (const AtomDraft& atom : atoms) {
      for (jit::Value* weight : atom.weights) ++readers[weight];
    }
    for (AtomDraft& atom : atoms) {
      for (jit::Value* weight : atom.weights) {
        if (readers.at(weight) > 1 && tensor_info(weight).bytes() >= shared_weight_bytes_) {
          atom.subgraph.inputs.push_back(weight);
        }
      }
    }
  }

  std::vector<AtomDraft> drafts() {
    std::map<int, std::vector<jit::Node*>> members;
    for (jit::Node* node : nodes_) {
      if (!travels(node)) members[find(index_.at(node))].push_back(node);
    }
    const std::vector<int> order = execution_order();
    assert(order.size() == members.size());  // no group needs its own result
    std::vector<AtomDraft> atoms;
    for (const int group : order) atoms.push_back(draft(members.at(group)));
    set_outputs(atoms);
    share_weights(atoms);
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
