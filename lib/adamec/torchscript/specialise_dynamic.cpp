#include "adamec/torchscript/specialiser.h"

namespace adamec::torchscript {

namespace {

bool holds_constant_tensor(const Item& item) {
  if (item.kind == Item::Kind::kTensor && item.constant) return true;
  for (const ItemPtr& element : item.elements) {
    if (holds_constant_tensor(*element)) return true;
  }
  return false;
}

}  // namespace

// A branch or loop on its way into the residual graph.
struct Specialiser::Capture {
  jit::Node* node = nullptr;                             // the copy
  std::unordered_map<jit::Value*, jit::Value*> inside;   // values defined in its blocks
  std::unordered_map<jit::Value*, ItemPtr> known;        // attributes read in its blocks
  std::vector<std::pair<jit::Value*, ItemPtr>> outside;  // residual values it reads
  bool changes_containers = false;
};

jit::Value* Specialiser::captured(jit::Value* value, Capture& capture) {
  if (const auto found = capture.inside.find(value); found != capture.inside.end()) {
    return found->second;
  }
  const auto known = capture.known.find(value);
  const ItemPtr source = known != capture.known.end() ? known->second : item(value);
  if (source->value.isObject() && source->value.type()->is_module()) {
    unsupported(capture.node, "it calls a module chosen by data");
  }
  for (const auto& [residual, earlier] : capture.outside) {
    if (earlier == source) return residual;  // a container must stay one and the same
  }
  jit::Value* residual = materialise(source);
  capture.outside.emplace_back(residual, source);
  return residual;
}

void Specialiser::copy_block(jit::Block* from, jit::Block* to, Capture& capture) {
  for (jit::Value* input : from->inputs()) {
    capture.inside[input] = to->addInput()->setType(c10::unshapedType(input->type()));
  }
  for (jit::Node* node : from->nodes()) {
    if (node->kind() == c10::prim::SetAttr) keeps_state(node);
    if (node->kind() == c10::prim::CallMethod) unsupported(node, "a call through an interface");
    if (node->kind() == c10::prim::GetAttr) {
      // Modules are no values of the residual graph: read the attribute now.
      const auto known = capture.known.find(node->input());
      const bool temporary = known != capture.known.end();
      if (temporary) environment_[node->input()] = known->second;
      get_attribute(node);
      capture.known[node->output()] = item(node->output());
      continue;
    }
    const auto* schema = node->maybeSchema();
    for (std::size_t i = 0;
         schema != nullptr && i < schema->arguments().size() && i < node->inputs().size(); ++i) {
      const auto* alias = schema->arguments()[i].alias_info();
      const auto kind = node->inputs()[i]->type()->kind();
      capture.changes_containers =
          capture.changes_containers ||
          (alias != nullptr && alias->isWrite() &&
           (kind == c10::TypeKind::ListType || kind == c10::TypeKind::DictType));
    }
    std::vector<jit::Value*> inputs;
    for (jit::Value* input : node->inputs()) inputs.push_back(captured(input, capture));
    jit::Node* copy = residual_.graph->create(node->kind(), inputs, node->outputs().size());
    copy->copyAttributes(*node);
    copy->copyMetadata(node);
    for (std::size_t i = 0; i < node->outputs().size(); ++i) {
      capture.inside[node->outputs()[i]] =
          copy->outputs()[i]->setType(c10::unshapedType(node->outputs()[i]->type()));
    }
    for (jit::Block* block : node->blocks()) copy_block(block, copy->addBlock(), capture);
    to->appendNode(copy);
  }
  for (jit::Value* output : from->outputs()) to->registerOutput(captured(output, capture));
}

void Specialiser::emit_dynamic(jit::Node* node) {
  Capture capture;
  std::vector<jit::Value*> inputs;
  capture.node = node;
  for (jit::Value* input : node->inputs()) inputs.push_back(captured(input, capture));
  jit::Node* copy = residual_.graph->create(node->kind(), inputs, node->outputs().size());
  copy->copyAttributes(*node);
  copy->copyMetadata(node);
  for (std::size_t i = 0; i < node->outputs().size(); ++i) {
    copy->outputs()[i]->setType(c10::unshapedType(node->outputs()[i]->type()));
  }
  for (jit::Block* block : node->blocks()) copy_block(block, copy->addBlock(), capture);
  residual_.graph->insertNode(copy);

  // Run it: the same node in a graph of its own.
  const auto graph = std::make_shared<jit::Graph>();
  std::unordered_map<jit::Value*, jit::Value*> arguments;
  jit::Stack stack;
  std::vector<std::pair<ItemPtr, c10::IValue>> containers;
  for (const auto& [value, source] : capture.outside) {
    if (arguments.count(value) != 0) continue;
    arguments[value] = graph->addInput()->setType(c10::unshapedType(value->type()));
    stack.push_back(concrete(*source));
    if (source->is_container()) containers.emplace_back(source, stack.back());
  }
  jit::Node* run = graph->insertNode(
      graph->createClone(copy, [&](jit::Value* value) { return arguments.at(value); }));
  for (jit::Value* output : run->outputs()) graph->registerOutput(output);
  // What it may write to is not known afterwards, on the branch not taken either.
  const jit::AliasDb aliases(graph);
  for (const auto& [value, source] : capture.outside) {
    if (holds_constant_tensor(*source) && aliases.hasWriters(arguments.at(value))) {
      unsupported(node, "a branch or loop on data writes to a tensor from outside");
    }
  }
  jit::GraphExecutor(graph, "dynamic").run(stack);

  if (capture.changes_containers) {
    for (const auto& [container, content] : containers) {
      for (const auto& [value, source] : capture.outside) {
        if (source != container) continue;
        container->kind = Item::Kind::kOpaque;  // its length depends on data from here on
        container->value = content;
        container->residual = value;
        container->elements.clear();
        container->keys.clear();
      }
    }
  }
  bind(node->outputs(), wrap_outputs(copy, stack, /*shape_from_data=*/true));
}

}  // namespace adamec::torchscript
