#include "adamec/torchscript/specialise/specialise.h"

#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/specialiser.h"

namespace adamec::torchscript {
namespace {

constexpr std::int64_t kMaxUnrolledIterations = 100'000;

// Whether the value is computed, inside the block, from something a tensor holds.
bool reads_tensors(jit::Value* value, jit::Block* block) {
  jit::Node* node = value->node();
  if (node->owningBlock() != block || node->kind() == c10::prim::Param) return false;
  if (is_type_query(node) || is_shape_query(node)) {
    return false;
  }
  bool found = !node->blocks().empty();
  for (jit::Value* input : node->inputs()) {
    found =
        found || input->type()->isSubtypeOf(*c10::TensorType::get()) || reads_tensors(input, block);
  }
  return found;
}

}  // namespace

void inline_calls(jit::Graph& graph) {
  const jit::GraphOptimizerEnabledGuard optimizer_on(true);
  jit::Inline(graph);
}

Specialiser::Specialiser(const jit::Module& module, const std::string& method,
                         Assumptions& assumptions, bool open_sizes)
    : module_(module),
      assumptions_(assumptions),
      open_sizes_(open_sizes),
      program_(module.get_method(method).graph()->copy()) {
  inline_calls(*program_);
  jit::InlineForkWait(program_);
  number_nodes(program_->block());
  residual_.graph = std::make_shared<jit::Graph>();
  module_paths_[module_._ivalue().get()] = "";
}

Residual Specialiser::run(const std::vector<c10::IValue>& arguments) {
  const at::NoGradGuard no_grad;
  const auto inputs = program_->inputs();
  environment_[inputs[0]] = known_static(module_._ivalue());
  const std::function<void(const KnownValuePtr&)> add_inputs = [&](const KnownValuePtr& argument) {
    if (argument->kind == KnownValue::Kind::kTensor) {
      argument->constant = false;
      argument->residual = residual_.graph->addInput();
      residual_.inputs.push_back(argument->residual);
      note_tensor(argument->residual, argument->value.toTensor());
    }
    for (const KnownValuePtr& element : argument->elements) add_inputs(element);
  };
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    environment_[inputs[i]] = known_from(arguments.at(i - 1), inputs[i]->type(), true);
    add_inputs(environment_[inputs[i]]);
  }
  add_states();
  run_block(program_->block());
  finish(item(program_->outputs()[0]));
  return std::move(residual_);
}

KnownValuePtr Specialiser::item(jit::Value* value) const { return environment_.at(value); }

Specialiser::Items Specialiser::items(c10::ArrayRef<jit::Value*> values) const {
  Items result;
  for (jit::Value* value : values) result.push_back(item(value));
  return result;
}

void Specialiser::bind(c10::ArrayRef<jit::Value*> values, const Items& items) {
  for (std::size_t i = 0; i < values.size(); ++i) environment_[values[i]] = items.at(i);
}

void Specialiser::unsupported(const jit::Node* node, const std::string& why) const {
  throw Unsupported(fmt::format("{}: {}", construct(node), why), /*state=*/false);
}

void Specialiser::keeps_state(const jit::Node* node) const {
  throw Unsupported(
      fmt::format("{}: the model keeps state from one run to the next", construct(node)),
      /*state=*/true);
}

void Specialiser::run_block(jit::Block* block) {
  // Values are dropped after their last use, so that memory does not grow with the model's depth.
  const auto ends = [&](jit::Node* node) -> std::vector<jit::Value*>& { return dead_after_[node]; };
  jit::Node* const end = block->return_node();
  if (dead_after_.count(end) == 0) {
    ends(end);
    std::unordered_set<jit::Value*> used(block->outputs().begin(), block->outputs().end());
    for (jit::Node* node : block->nodes().reverse()) {
      for_each_use(node, [&](jit::Value* value) {
        if (value->node()->owningBlock() == block && used.insert(value).second) {
          ends(node).push_back(value);
        }
      });
    }
  }
  for (jit::Node* node : block->nodes()) {
    run_node(node);
    for (jit::Value* value : ends(node)) environment_.erase(value);
  }
}

void Specialiser::run_node(jit::Node* node) {
  switch (node->kind()) {
    case c10::prim::Constant: {
      // Functions, whose calls are inlined, have no value.
      c10::IValue value;
      if (const auto known = jit::toIValue(node->output())) value = *known;
      KnownValuePtr constant = known_from(value, node->output()->type(), true);
      if (value.isTensor()) {
        constant->name = "constant";
        if (value.toTensor().defined()) {
          attribute_storages_[value.toTensor().storage().unsafeGetStorageImpl()] =
              value.toTensor().storage().nbytes();
        }
      }
      return bind(node->outputs(), {constant});
    }
    case c10::prim::If:
      return run_if(node);
    case c10::prim::Loop:
      return run_loop(node);
    case c10::prim::CreateObject:
      return create_object(node);
    case c10::prim::GetAttr:
      return get_attribute(node);
    case c10::prim::CallMethod:
      return call_method(node);
    case c10::prim::SetAttr:
      if (!apply_object(node)) set_attribute(node);
      return;
    case c10::prim::RaiseException: {
      const KnownValuePtr message = item(node->inputs()[0]);
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
      if (item(node->input())->kind != KnownValue::Kind::kOpaque) {
        return bind(node->outputs(), {item(node->input())});
      }
      break;
    default:
      break;
  }
  apply_operator(node);
}

// Whether the value is of one of the types that the node names.
bool Specialiser::is_instance(jit::Node* node) const {
  const KnownValuePtr value = item(node->inputs()[0]);
  const auto declared = node->inputs()[0]->type()->kind();
  if (value->kind == KnownValue::Kind::kOpaque &&
      (declared == c10::TypeKind::OptionalType || declared == c10::TypeKind::UnionType ||
       declared == c10::TypeKind::AnyType)) {
    unsupported(node, "it asks for the type of a value that depends on data");
  }
  const c10::TypePtr type = value->is_container() ? value->type : value->value.type();
  const auto& candidates = node->tys(c10::attr::types);
  return std::any_of(candidates.begin(), candidates.end(),
                     [&](const c10::TypePtr& candidate) { return type->isSubtypeOf(*candidate); });
}

void Specialiser::run_if(jit::Node* node) {
  const KnownValuePtr condition = item(node->input());
  if (!independent_of_inputs(*condition)) return emit_dynamic(node);
  jit::Block* taken = node->blocks()[condition->value.toBool() ? 0 : 1];
  run_block(taken);
  bind(node->outputs(), items(taken->outputs()));
}

void Specialiser::run_loop(jit::Node* node) {
  const Items inputs = items(node->inputs());
  jit::Block* body = node->blocks()[0];
  if (!independent_of_inputs(*inputs[0]) || !independent_of_inputs(*inputs[1]) ||
      reads_tensors(body->outputs()[0], body)) {
    return emit_dynamic(node);
  }
  const std::int64_t trips = inputs[0]->value.toInt();
  bool again = inputs[1]->value.toBool();
  Items carried(inputs.begin() + 2, inputs.end());
  for (std::int64_t i = 0; i < trips && again; ++i) {
    if (i >= kMaxUnrolledIterations) unsupported(node, "too many iterations to unroll");
    environment_[body->inputs()[0]] = known_static(i);
    for (std::size_t k = 0; k < carried.size(); ++k) {
      environment_[body->inputs()[k + 1]] = carried[k];
    }
    run_block(body);
    const KnownValuePtr condition = item(body->outputs()[0]);
    if (!independent_of_inputs(*condition)) {
      unsupported(node, "whether the loop goes on depends on data only from some iteration on");
    }
    again = condition->value.toBool();
    carried = items(body->outputs().slice(1));
  }
  bind(node->outputs(), carried);
}

void Specialiser::get_attribute(jit::Node* node) {
  if (apply_object(node)) return;
  bind(node->outputs(), {attribute(node, item(node->input()))});
}

std::string Specialiser::attribute_path(jit::Node* node, const KnownValuePtr& owner) const {
  if (!owner->value.isObject()) unsupported(node, "an attribute of a value that is no module");
  const auto path = module_paths_.find(owner->value.toObject().get());
  if (path == module_paths_.end()) unsupported(node, "an object that is no module");
  const std::string& name = node->s(c10::attr::name);
  return path->second.empty() ? name : path->second + "." + name;
}

// What the attribute holds by now.
KnownValuePtr& Specialiser::attribute(jit::Node* node, const KnownValuePtr& owner) {
  const std::string path = attribute_path(node, owner);
  const auto object = owner->value.toObject();
  const std::string& name = node->s(c10::attr::name);
  KnownValuePtr& attribute = attributes_[{object.get(), name}];
  if (attribute == nullptr) {
    const c10::IValue value = object->getAttr(name);
    if (value.isObject() && value.type()->is_module()) {
      module_paths_[value.toObject().get()] = path;
    }
    attribute = known_from(value, object->type()->getAttribute(name), true);
    own(attribute, path, path);
  }
  return attribute;
}

// Notes that the value, called `name`, belongs to the attribute at `path`.
void Specialiser::own(const KnownValuePtr& part, const std::string& name, const std::string& path) {
  part->name = name;
  if (part->is_container()) note_container(part, path);
  if (part->kind == KnownValue::Kind::kTensor && part->value.toTensor().defined() &&
      part->value.toTensor().has_storage()) {
    const auto& storage = part->value.toTensor().storage();
    attribute_storages_[storage.unsafeGetStorageImpl()] = storage.nbytes();
    const auto owner = storage_paths_.emplace(storage.unsafeGetStorageImpl(), path).first;
    if (owner->second != path && (assumptions_.in_place.count(owner->second) != 0 ||
                                  assumptions_.in_place.count(path) != 0)) {
      throw Unsupported(fmt::format("the attributes '{}' and '{}' share memory that is written to",
                                    owner->second, path),
                        /*state=*/true);
    }
  }
  for (std::size_t i = 0; i < part->elements.size(); ++i) {
    own(part->elements[i], fmt::format("{}.{}", name, i), path);
  }
}

// Calls that inlining leaves: methods of module interfaces, whose module is known here.
void Specialiser::call_method(jit::Node* node) {
  const KnownValuePtr owner = item(node->inputs()[0]);
  if (!owner->value.isObject() || !owner->value.toObject()->type()->is_module()) {
    unsupported(node, "a call of an object that is no module");
  }
  const auto type = owner->value.toObject()->type();
  const std::string& name = node->s(c10::attr::name);
  std::shared_ptr<jit::Graph>& graph = inlined_methods_[type->repr_str() + "::" + name];
  if (graph == nullptr) {
    graph = jit::toGraphFunction(type->getMethod(name)).graph()->copy();
    inline_calls(*graph);
    number_nodes(graph->block());
  }
  bind(graph->inputs(), items(node->inputs()));
  run_block(graph->block());
  bind(node->outputs(), {item(graph->outputs()[0])});
}

bool Specialiser::is_known_query(jit::Node* node, const Items& inputs) const {
  const bool of_type = is_type_query(node);
  if (!of_type && !is_shape_query(node)) return false;
  for (const KnownValuePtr& input : inputs) {
    if (input->kind == KnownValue::Kind::kOpaque) return false;
    const bool of_shape =
        !of_type && node->kind() != c10::aten::__is__ && node->kind() != c10::aten::__isnot__;
    if (of_shape && input->kind == KnownValue::Kind::kTensor &&
        (input->shape_from_data || (open_sizes_ && !input->constant))) {
      return false;
    }
  }
  return true;
}

// What a model writes to its own weights or buffers is there in its next run: it is state.
void Specialiser::notice_writes_to_attributes(jit::Node* node, const Items& inputs) {
  const auto* schema = node->maybeSchema();
  for (std::size_t i = 0; schema != nullptr && i < inputs.size(); ++i) {
    if (i >= schema->arguments().size()) break;  // variadic
    const auto* alias = schema->arguments()[i].alias_info();
    if (alias == nullptr || !alias->isWrite()) continue;
    if (inputs[i]->is_container()) notice_container_write(inputs[i]);
    if (inputs[i]->kind != KnownValue::Kind::kTensor) continue;
    const at::Tensor tensor = inputs[i]->value.toTensor();
    if (!tensor.defined() || !tensor.has_storage()) continue;
    const void* storage = tensor.storage().unsafeGetStorageImpl();
    if (attribute_storages_.count(storage) == 0) continue;
    const auto path = storage_paths_.find(storage);
    if (path == storage_paths_.end()) keeps_state(node);  // a constant of the program
    learn(assumptions_.attributes, path->second);
    learn(assumptions_.in_place, path->second);
    throw LearntMore();
  }
}

Specialiser::Items Specialiser::fold(jit::Node* node, const Items& inputs) {
  notice_writes_to_attributes(node, inputs);
  const auto* schema = node->maybeSchema();
  jit::Stack stack;
  for (const KnownValuePtr& input : inputs) stack.push_back(concrete(*input));
  const jit::Stack arguments = stack;
  run_operator(node, stack);

  for (std::size_t i = 0; schema != nullptr && i < inputs.size(); ++i) {
    if (i >= schema->arguments().size()) break;  // variadic
    const auto* alias = schema->arguments()[i].alias_info();
    if (alias == nullptr || !alias->isWrite()) continue;
    if (inputs[i]->is_container()) {
      const KnownValuePtr now = known_from(arguments[i], inputs[i]->type, true);
      inputs[i]->elements = now->elements;
      inputs[i]->keys = now->keys;
    } else if (inputs[i]->kind == KnownValue::Kind::kTensor) {
      const void* storage = inputs[i]->value.toTensor().storage().unsafeGetStorageImpl();
      written_storages_.insert(storage);
    }
  }
  Items before;
  for (const KnownValuePtr& input : inputs) before.push_back(snapshot(input));
  Items outputs;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    KnownValuePtr output;
    for (const KnownValuePtr& input : inputs) {  // in-place operators return their argument
      if (stack[i].isTensor() && input->value.isTensor() &&
          stack[i].toTensor().is_same(input->value.toTensor())) {
        output = input;
      }
    }
    if (output == nullptr) output = known_from(stack[i], node->outputs()[i]->type(), true);
    if (output->kind == KnownValue::Kind::kTensor && output->recipe == nullptr &&
        output->name.empty()) {
      output->recipe = std::make_shared<Recipe>(Recipe{node, before, i});
      computed_constants_.push_back(output);
    }
    outputs.push_back(output);
  }
  return outputs;
}

void Specialiser::apply_operator(jit::Node* node) {
  const Items inputs = items(node->inputs());
  if (apply_container(node, inputs) || apply_size_query(node, inputs)) return;
  if (node->maybeOperator() == nullptr) unsupported(node, "an operator that cannot run on its own");
  const bool independent =
      std::all_of(inputs.begin(), inputs.end(),
                  [](const KnownValuePtr& input) { return independent_of_inputs(*input); });
  if (is_known_query(node, inputs) || (independent && may_run_beforehand(node))) {
    bind(node->outputs(), fold(node, inputs));
  } else {
    bind(node->outputs(), emit(node, inputs));
  }
}

}  // namespace adamec::torchscript
