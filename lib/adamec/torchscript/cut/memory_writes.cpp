#include "adamec/torchscript/cut/memory_writes.h"

#include <set>

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

}  // namespace

std::vector<jit::Node*> writers_in(jit::Node* node) {
  std::vector<jit::Node*> writers;
  collect_writers(node, node, writers);
  return writers;
}

}  // namespace adamec::torchscript
