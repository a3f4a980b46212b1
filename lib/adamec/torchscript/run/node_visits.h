#pragma once

#include <functional>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// Calls `visit` for every value the node reads, in its blocks too.
inline void for_each_use(jit::Node* node, const std::function<void(jit::Value*)>& visit) {
  for (jit::Value* value : node->inputs()) visit(value);
  for (jit::Block* block : node->blocks()) {
    for (jit::Node* inner : block->nodes()) for_each_use(inner, visit);
    for (jit::Value* value : block->outputs()) visit(value);
  }
}

// Whether any node of the tree below (and with) `node` satisfies `condition`.
inline bool any_node(jit::Node* node, const std::function<bool(jit::Node*)>& condition) {
  if (condition(node)) return true;
  for (jit::Block* block : node->blocks()) {
    for (jit::Node* inner : block->nodes()) {
      if (any_node(inner, condition)) return true;
    }
  }
  return false;
}

// Runs the node's operator on the arguments on the stack, as LibTorch's interpreter does.
inline void run_operator(jit::Node* node, jit::Stack& stack) {
  const auto* schema = node->maybeSchema();
  // prim::tolist, alone among them, does not take the number of its arguments.
  if (schema != nullptr && schema->is_vararg() && node->kind() != c10::prim::tolist) {
    stack.emplace_back(static_cast<std::int64_t>(node->inputs().size()));
  }
  node->getOperation()(stack);
}

inline bool is_tensor(const jit::Value* value) {
  return value->type()->isSubtypeOf(*c10::TensorType::get());
}

}  // namespace adamec::torchscript
