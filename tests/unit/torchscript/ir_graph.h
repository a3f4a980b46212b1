#pragma once

#include <torch/csrc/jit/ir/irparser.h>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::testing {

// A graph from hand-written IR; its values have their names from the text.
inline std::shared_ptr<torch::jit::Graph> parse_graph(const std::string& text) {
  auto graph = std::make_shared<torch::jit::Graph>();
  std::unordered_map<std::string, torch::jit::Value*> values;
  torch::jit::parseIR(text, graph.get(), values);
  for (const auto& [name, value] : values) value->setDebugName(name);
  return graph;
}

// A module with hand-written IR as its forward(); `fill` sets its attributes. The first input of
// the graph is the module itself, and needs no type in the text.
inline torch::jit::Module module_of(
    const std::string& text,
    const std::function<void(torch::jit::Module&)>& fill = [](torch::jit::Module&) {}) {
  torch::jit::Module module("__torch__.Model");
  fill(module);
  const auto graph = parse_graph(text);
  graph->inputs()[0]->setType(module._ivalue()->type());
  module.type()->addMethod(module._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*module.type()->name(), "forward"), graph));
  return module;
}

inline std::string kinds_of(const std::vector<torch::jit::Node*>& nodes) {
  std::string text;
  for (const torch::jit::Node* node : nodes) {
    text += (text.empty() ? "" : " ") + std::string(node->kind().toQualString());
  }
  return text;
}

// The graph's nodes in order: "aten::relu aten::add". Constants are left out.
inline std::string kinds_of(const torch::jit::Graph& graph) {
  std::vector<torch::jit::Node*> nodes;
  for (torch::jit::Node* node : const_cast<torch::jit::Graph&>(graph).nodes()) {
    if (node->kind() != c10::prim::Constant) nodes.push_back(node);
  }
  return kinds_of(nodes);
}

}  // namespace adamec::testing
