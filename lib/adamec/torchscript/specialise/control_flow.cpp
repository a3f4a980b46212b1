// Branches, loops and calls whose course is known.
#include <algorithm>

#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/partial_evaluator.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

constexpr std::int64_t kMaxUnrolledIterations = 100'000;

// Whether the value is computed, inside the block, from something a tensor holds.
bool reads_tensors(jit::Value* value, jit::Block* block) {
  jit::Node* node = value->node();
  if (node->owningBlock() != block || node->kind() == c10::prim::Param) return false;
  if (is_type_query(node) || is_shape_query(node)) return false;
  const auto inputs = node->inputs();
  return !node->blocks().empty() || std::any_of(inputs.begin(), inputs.end(), [&](auto* input) {
    return is_tensor(input) || reads_tensors(input, block);
  });
}

}  // namespace

// Whether the value is of one of the types that the node names.
bool PartialEvaluator::is_instance(jit::Node* node) const {
  const KnownValuePtr value = known(node->inputs()[0]);
  const auto declared = node->inputs()[0]->type()->kind();
  if (value->kind == KnownValue::Kind::kOpaque &&
      (declared == c10::TypeKind::OptionalType || declared == c10::TypeKind::UnionType ||
       declared == c10::TypeKind::AnyType)) {
    throw_unsupported(node, "it asks for the type of a value that depends on data");
  }
  const c10::TypePtr type = value->is_container() ? value->type : value->value.type();
  const auto& candidates = node->tys(c10::attr::types);
  return std::any_of(candidates.begin(), candidates.end(),
                     [&](const c10::TypePtr& candidate) { return type->isSubtypeOf(*candidate); });
}

void PartialEvaluator::run_if(jit::Node* node) {
  const KnownValuePtr condition = known(node->input());
  if (!independent_of_inputs(*condition)) return emit_dynamic(node);
  jit::Block* taken = node->blocks()[condition->value.toBool() ? 0 : 1];
  run_block(taken);
  bind(node->outputs(), known_all(taken->outputs()));
}

void PartialEvaluator::run_loop(jit::Node* node) {
  const KnownValues inputs = known_all(node->inputs());
  jit::Block* body = node->blocks()[0];
  if (!independent_of_inputs(*inputs[0]) || !independent_of_inputs(*inputs[1]) ||
      reads_tensors(body->outputs()[0], body)) {
    return emit_dynamic(node);
  }
  const std::int64_t trips = inputs[0]->value.toInt();
  bool again = inputs[1]->value.toBool();
  KnownValues carried(inputs.begin() + 2, inputs.end());
  for (std::int64_t i = 0; i < trips && again; ++i) {
    if (i >= kMaxUnrolledIterations) throw_unsupported(node, "too many iterations to unroll");
    environment_[body->inputs()[0]] = known_static(i);
    bind(body->inputs().slice(1), carried);
    run_block(body);
    const KnownValuePtr condition = known(body->outputs()[0]);
    if (!independent_of_inputs(*condition)) {
      throw_unsupported(node,
                        "whether the loop goes on depends on data only from some iteration on");
    }
    again = condition->value.toBool();
    carried = known_all(body->outputs().slice(1));
  }
  bind(node->outputs(), carried);
}

// Calls that inlining leaves: methods of module interfaces, whose module is known here.
void PartialEvaluator::call_method(jit::Node* node) {
  const KnownValuePtr owner = known(node->inputs()[0]);
  if (!owner->value.isObject() || !owner->value.toObject()->type()->is_module()) {
    throw_unsupported(node, "a call of an object that is no module");
  }
  const auto type = owner->value.toObject()->type();
  const std::string& name = node->s(c10::attr::name);
  std::shared_ptr<jit::Graph>& graph = inlined_methods_[type->repr_str() + "::" + name];
  if (graph == nullptr) {
    graph = jit::toGraphFunction(type->getMethod(name)).graph()->copy();
    inline_calls(*graph);
    guards_.number_nodes(graph->block());
  }
  bind(graph->inputs(), known_all(node->inputs()));
  run_block(graph->block());
  bind(node->outputs(), {known(graph->outputs()[0])});
}

}  // namespace adamec::torchscript
