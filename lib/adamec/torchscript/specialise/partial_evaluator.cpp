#include "adamec/torchscript/specialise/partial_evaluator.h"

#include "adamec/base/error.h"
#include "adamec/torchscript/run/node_visits.h"

namespace adamec::torchscript {

void inline_calls(jit::Graph& graph) {
  const jit::GraphOptimizerEnabledGuard optimizer_on(true);
  jit::Inline(graph);
}

PartialEvaluator::PartialEvaluator(const jit::Module& module, const std::string& method,
                                   Assumptions& assumptions, bool open_sizes)
    : module_(module),
      program_(module.get_method(method).graph()->copy()),
      attributes_(module, assumptions),
      writer_(attributes_),
      guards_(assumptions, writer_, open_sizes),
      states_(assumptions, attributes_, writer_, guards_) {
  inline_calls(*program_);
  jit::InlineForkWait(program_);
  guards_.number_nodes(program_->block());
}

Residual PartialEvaluator::run(const std::vector<c10::IValue>& arguments) {
  const at::NoGradGuard no_grad;
  const auto inputs = program_->inputs();
  environment_[inputs[0]] = known_static(module_._ivalue());
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    environment_[inputs[i]] = known_from(arguments.at(i - 1), inputs[i]->type(), true);
    add_input(environment_[inputs[i]]);
  }
  states_.add_inputs();
  run_block(program_->block());
  writer_.set_result(known(program_->outputs()[0]));
  attributes_.check_unchanged();
  states_.add_outputs();
  Residual residual = writer_.finish();
  residual.guards = guards_.guards();
  residual.answers = guards_.answers();
  return residual;
}

void PartialEvaluator::add_input(const KnownValuePtr& argument) {
  if (argument->kind == KnownValue::Kind::kTensor) {
    argument->constant = false;
    argument->residual = writer_.add_input(argument->value.toTensor());
  }
  for (const KnownValuePtr& element : argument->elements) add_input(element);
}

KnownValuePtr PartialEvaluator::known(jit::Value* value) const { return environment_.at(value); }

KnownValues PartialEvaluator::known_all(c10::ArrayRef<jit::Value*> values) const {
  KnownValues result;
  for (jit::Value* value : values) result.push_back(known(value));
  return result;
}

void PartialEvaluator::bind(c10::ArrayRef<jit::Value*> values, const KnownValues& known) {
  for (std::size_t i = 0; i < values.size(); ++i) environment_[values[i]] = known.at(i);
}

// The values of the block that nothing reads after the node.
const std::vector<jit::Value*>& PartialEvaluator::dead_after(jit::Block* block, jit::Node* node) {
  jit::Node* const end = block->return_node();
  if (dead_after_.try_emplace(end).second) {  // the block's first run
    std::unordered_set<jit::Value*> used(block->outputs().begin(), block->outputs().end());
    for (jit::Node* user : block->nodes().reverse()) {
      for_each_use(user, [&](jit::Value* value) {
        if (value->node()->owningBlock() == block && used.insert(value).second) {
          dead_after_[user].push_back(value);
        }
      });
    }
  }
  return dead_after_[node];
}

void PartialEvaluator::run_block(jit::Block* block) {
  // Values are dropped after their last use, so that memory does not grow with the model's depth.
  for (jit::Node* node : block->nodes()) {
    run_node(node);
    for (jit::Value* value : dead_after(block, node)) environment_.erase(value);
  }
}

void PartialEvaluator::run_constant(jit::Node* node) {
  // Functions, whose calls are inlined, have no value.
  c10::IValue value;
  if (const auto constant = jit::toIValue(node->output())) value = *constant;
  const KnownValuePtr constant = known_from(value, node->output()->type(), true);
  if (value.isTensor()) {
    constant->name = "constant";
    attributes_.own_constant(value.toTensor());
  }
  bind(node->outputs(), {constant});
}

void PartialEvaluator::run_node(jit::Node* node) {
  switch (node->kind()) {
    case c10::prim::Constant:
      return run_constant(node);
    case c10::prim::If:
      return run_if(node);
    case c10::prim::Loop:
      return run_loop(node);
    case c10::prim::CreateObject:
      return create_object(node);
    case c10::prim::GetAttr:
      return get_attribute(node);
    case c10::prim::SetAttr:
      return set_attribute(node);
    case c10::prim::CallMethod:
      return call_method(node);
    case c10::prim::RaiseException: {
      const KnownValuePtr message = known(node->inputs()[0]);
      fail("the model raises for these inputs: {}",
           message->value.isString() ? printable(message->value.toStringRef(), 300)
                                     : std::string("an exception"));
    }
    case c10::prim::Print:
    case c10::aten::warn:
      return;
    case c10::prim::Uninitialized:
      return bind(node->outputs(), {known_static(c10::IValue())});
    case c10::prim::isinstance:
      return bind(node->outputs(), {known_static(is_instance(node))});
    case c10::prim::unchecked_cast:
      if (known(node->input())->kind != KnownValue::Kind::kOpaque) {
        return bind(node->outputs(), {known(node->input())});
      }
      break;
    default:
      break;
  }
  apply_operator(node);
}

}  // namespace adamec::torchscript
