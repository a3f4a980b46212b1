#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/specialiser.h"

namespace adamec::torchscript {

namespace {

bool holds_constant_tensor(const KnownValue& item) {
  if (item.kind == KnownValue::Kind::kTensor && item.constant) return true;
  for (const KnownValuePtr& element : item.elements) {
    if (holds_constant_tensor(*element)) return true;
  }
  return false;
}

// Whether something in the node's blocks makes a number, a decision or a shape from the content of
// tensors.
bool looks_at_content(jit::Node* node) {
  return any_node(node, [node](jit::Node* inner) {
    if (inner == node || inner->kind() == c10::prim::If) return false;
    if (inner->kind() == c10::prim::Loop) return true;
    if (is_type_query(inner) || is_shape_query(inner)) return false;
    const auto inputs = inner->inputs();
    const auto outputs = inner->outputs();
    return std::any_of(inputs.begin(), inputs.end(), is_tensor) &&
           (shape_may_depend_on_content(inner) ||
            std::any_of(outputs.begin(), outputs.end(),
                        [](const jit::Value* output) { return is_number(output->type()); }));
  });
}

bool depends_on_content(const KnownValue& item) {
  if (item.kind == KnownValue::Kind::kOpaque || item.shape_from_data) return !item.from_state;
  return std::any_of(item.elements.begin(), item.elements.end(),
                     [](const KnownValuePtr& element) { return depends_on_content(*element); });
}

}  // namespace

// A branch or loop on its way into the residual graph.
struct Specialiser::Capture {
  struct Assignment {
    std::string path;
    c10::TypePtr type;
    jit::Value* value = nullptr;  // what the attribute holds from here on
    KnownValuePtr before;         // what it held outside
  };
  using Assignments = std::map<AttributeKey, Assignment>;

  jit::Node* node = nullptr;                                   // the copy
  std::unordered_map<jit::Value*, jit::Value*> inside;         // values defined in its blocks
  std::unordered_map<jit::Value*, KnownValuePtr> known;        // attributes read in its blocks
  std::vector<std::pair<jit::Value*, KnownValuePtr>> outside;  // residual values it reads
  bool changes_containers = false;
  std::vector<Assignments> scopes;                         // of the blocks around this place
  std::vector<std::pair<AttributeKey, std::size_t>> sets;  // attribute, output of the copy
};

KnownValuePtr Specialiser::source_of(jit::Value* value, Capture& capture) const {
  const auto known = capture.known.find(value);
  return known != capture.known.end() ? known->second : item(value);
}

jit::Value* Specialiser::captured(jit::Value* value, Capture& capture) {
  const auto found = capture.inside.find(value);
  if (found != capture.inside.end()) return found->second;
  const KnownValuePtr source = source_of(value, capture);
  // What was never given a value is no None, which its type may not admit.
  const bool missing = source->kind == KnownValue::Kind::kStatic && source->value.isNone() &&
                       !c10::NoneType::get()->isSubtypeOf(*value->type());
  if (missing && source->residual == nullptr) {
    jit::Node* node = residual_.graph->create(c10::prim::Uninitialized, 1);
    source->residual = residual_.graph->insertNode(node)->output()->setType(value->type());
  }
  return captured(source, capture);
}

jit::Value* Specialiser::captured(const KnownValuePtr& source, Capture& capture) {
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

// Modules are no values of the residual graph: what an attribute holds is looked up now.
void Specialiser::copy_get_attribute(jit::Node* node, Capture& capture) {
  const KnownValuePtr owner = source_of(node->input(), capture);
  if (owner->kind == KnownValue::Kind::kObject) {
    capture.known[node->output()] = object_attribute(node, owner);
    return;
  }
  const KnownValuePtr held = attribute(node, owner);
  const AttributeKey key{owner->value.toObject().get(), node->s(c10::attr::name)};
  for (auto scope = capture.scopes.rbegin(); scope != capture.scopes.rend(); ++scope) {
    const auto assigned = scope->find(key);
    if (assigned == scope->end()) continue;
    capture.inside[node->output()] = assigned->second.value;
    return;
  }
  capture.known[node->output()] = held;
}

void Specialiser::copy_set_attribute(jit::Node* node, Capture& capture) {
  const KnownValuePtr owner = source_of(node->inputs()[0], capture);
  if (owner->kind == KnownValue::Kind::kObject) {
    unsupported(node, "a branch or loop on data changes an object");
  }
  const std::string path = attribute_path(node, owner);
  learn(assumptions_.attributes, path);
  const auto object = owner->value.toObject();
  const AttributeKey key{object.get(), node->s(c10::attr::name)};
  Capture::Assignment& assignment = capture.scopes.back()[key];
  assignment.path = path;
  assignment.type = object->type()->getAttribute(key.second);
  assignment.before = attribute(node, owner);
  assignment.value = captured(node->inputs()[1], capture);
}

// What the blocks of a branch assign to attributes becomes further results of the branch.
void Specialiser::merge_assignments(jit::Node* branch, Capture& capture) {
  const std::size_t blocks = branch->blocks().size();
  std::vector<Capture::Assignments> assigned(capture.scopes.end() - static_cast<int>(blocks),
                                             capture.scopes.end());
  capture.scopes.resize(capture.scopes.size() - blocks);
  std::map<std::string, std::pair<AttributeKey, Capture::Assignment>> all;  // in a fixed order
  for (const auto& scope : assigned) {
    for (const auto& [key, assignment] : scope) all[assignment.path] = {key, assignment};
  }
  if (!all.empty() && branch->kind() != c10::prim::If) keeps_state(branch);
  for (auto& [path, entry] : all) {
    auto& [key, assignment] = entry;
    const auto outer = [&]() -> jit::Value* {
      for (auto scope = capture.scopes.rbegin(); scope != capture.scopes.rend(); ++scope) {
        const auto held = scope->find(key);
        if (held != scope->end()) return held->second.value;
      }
      return captured(assignment.before, capture);
    };
    for (std::size_t i = 0; i < blocks; ++i) {
      const auto own_value = assigned[i].find(key);
      branch->blocks()[i]->registerOutput(own_value != assigned[i].end() ? own_value->second.value
                                                                         : outer());
    }
    assignment.value = branch->addOutput()->setType(c10::unshapedType(assignment.type));
    if (capture.scopes.empty()) {
      capture.sets.emplace_back(key, branch->outputs().size() - 1);
    } else {
      capture.scopes.back()[key] = assignment;
    }
  }
}

void Specialiser::copy_blocks(jit::Node* from, jit::Node* to, Capture& capture) {
  std::vector<Capture::Assignments> assigned;
  for (jit::Block* block : from->blocks()) {
    capture.scopes.emplace_back();
    copy_block(block, to->addBlock(), capture);
    assigned.push_back(std::move(capture.scopes.back()));
    capture.scopes.pop_back();
  }
  for (auto& scope : assigned) capture.scopes.push_back(std::move(scope));
  merge_assignments(to, capture);
}

void Specialiser::copy_block(jit::Block* from, jit::Block* to, Capture& capture) {
  for (jit::Value* input : from->inputs()) {
    capture.inside[input] = to->addInput()->setType(c10::unshapedType(input->type()));
  }
  for (jit::Node* node : from->nodes()) {
    if (node->kind() == c10::prim::CallMethod) unsupported(node, "a call through an interface");
    const bool of_attribute =
        node->kind() == c10::prim::GetAttr || node->kind() == c10::prim::SetAttr;
    // An object made in the block is a value like others.
    if (of_attribute && capture.inside.count(node->inputs()[0]) == 0) {
      if (node->kind() == c10::prim::GetAttr) {
        copy_get_attribute(node, capture);
      } else {
        copy_set_attribute(node, capture);
      }
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
    copy_blocks(node, copy, capture);
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
  copy_blocks(node, copy, capture);
  residual_.graph->insertNode(copy);

  // Run it: the same node in a graph of its own.
  const auto graph = std::make_shared<jit::Graph>();
  std::unordered_map<jit::Value*, jit::Value*> arguments;
  jit::Stack stack;
  std::vector<std::pair<KnownValuePtr, c10::IValue>> containers;
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
    if (!holds_constant_tensor(*source) || !aliases.hasWriters(arguments.at(value))) continue;
    const auto owner =
        source->kind == KnownValue::Kind::kTensor && source->value.toTensor().has_storage()
            ? storage_paths_.find(source->value.toTensor().storage().unsafeGetStorageImpl())
            : storage_paths_.end();
    if (owner != storage_paths_.end()) {
      learn(assumptions_.attributes, owner->second);
      learn(assumptions_.in_place, owner->second);
      throw LearntMore();
    }
    unsupported(node, "a branch or loop on data writes to a tensor from outside");
  }
  jit::GraphExecutor(graph, "dynamic").run(stack);

  if (capture.changes_containers) {
    for (const auto& [container, content] : containers) {
      for (const auto& [value, source] : capture.outside) {
        if (source != container) continue;
        notice_container_write(container);
        container->kind = KnownValue::Kind::kOpaque;  // its length depends on data from here on
        container->value = content;
        container->residual = value;
        container->elements.clear();
        container->keys.clear();
      }
    }
  }
  bind_dynamic(node, copy, capture, stack);
}

// Results of the copy: what the node gives, then what attributes hold from here on.
void Specialiser::bind_dynamic(jit::Node* node, jit::Node* copy, const Capture& capture,
                               const jit::Stack& results) {
  Origin origin;
  origin.from_data = true;
  origin.from_state = !looks_at_content(copy) &&
                      std::none_of(capture.outside.begin(), capture.outside.end(),
                                   [](const auto& use) { return depends_on_content(*use.second); });
  if (open_sizes_ && origin.from_state) origin.from_data = false;
  origin.guard = construct(node);
  if (const int count = guard_counts_[origin.guard]++; count > 0) {
    origin.guard += fmt::format(", time {}", count + 1);
  }
  Items outputs = wrap_outputs(copy, results, origin);
  if (!is_scalar_code(copy)) {
    for (KnownValuePtr& output : outputs) {  // numbers cross from atom to atom as tensors
      const c10::TypePtr& type = output->residual->type();
      if (output->kind != KnownValue::Kind::kOpaque || !is_number(type)) continue;
      output->residual = unboxed(boxed(output->residual), type);
    }
  }
  for (const auto& [key, output] : capture.sets) attributes_[key] = outputs.at(output);
  outputs.resize(node->outputs().size());
  bind(node->outputs(), outputs);
}

}  // namespace adamec::torchscript
