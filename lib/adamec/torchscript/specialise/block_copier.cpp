#include "adamec/torchscript/specialise/block_copier.h"

#include <algorithm>

#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

// Whether the operator changes a list or dict, whatever it holds.
bool changes_container(const jit::Node* node) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr) return false;
  const std::size_t count = std::min(schema->arguments().size(), node->inputs().size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto* alias = schema->arguments()[i].alias_info();
    const auto kind = node->inputs()[i]->type()->kind();
    if (alias != nullptr && alias->isWrite() &&
        (kind == c10::TypeKind::ListType || kind == c10::TypeKind::DictType)) {
      return true;
    }
  }
  return false;
}

}  // namespace

BlockCopier::BlockCopier(Lookup lookup, ModelAttributes& attributes, ResidualWriter& writer)
    : lookup_(std::move(lookup)), attributes_(attributes), writer_(writer) {}

jit::Node* BlockCopier::copy(jit::Node* node) {
  node_ = node;
  jit::Node* copy = copy_node(node);
  copy_blocks(node, copy);
  return writer_.graph().insertNode(copy);
}

// Without its blocks, and not yet in the graph.
jit::Node* BlockCopier::copy_node(jit::Node* node) {
  std::vector<jit::Value*> inputs;
  for (jit::Value* input : node->inputs()) inputs.push_back(captured(input));
  jit::Node* copy = writer_.graph().create(node->kind(), inputs, node->outputs().size());
  copy->copyAttributes(*node);
  copy->copyMetadata(node);
  for (std::size_t i = 0; i < node->outputs().size(); ++i) {
    copy->outputs()[i]->setType(c10::unshapedType(node->outputs()[i]->type()));
  }
  return copy;
}

KnownValuePtr BlockCopier::source_of(jit::Value* value) const {
  const auto read = read_.find(value);
  return read != read_.end() ? read->second : lookup_(value);
}

jit::Value* BlockCopier::captured(jit::Value* value) {
  const auto found = inside_.find(value);
  if (found != inside_.end()) return found->second;
  const KnownValuePtr source = source_of(value);
  // What was never given a value is no None, which its type may not admit.
  const bool missing = source->kind == KnownValue::Kind::kStatic && source->value.isNone() &&
                       !c10::NoneType::get()->isSubtypeOf(*value->type());
  if (missing && source->residual == nullptr) {
    jit::Node* node = writer_.graph().create(c10::prim::Uninitialized, 1);
    source->residual = writer_.graph().insertNode(node)->output()->setType(value->type());
  }
  return captured(source);
}

jit::Value* BlockCopier::captured(const KnownValuePtr& source) {
  if (source->value.isObject() && source->value.type()->is_module()) {
    throw_unsupported(node_, "it calls a module chosen by data");
  }
  for (const auto& [residual, earlier] : outside_) {
    if (earlier == source) return residual;  // a container must stay one and the same
  }
  jit::Value* residual = writer_.materialise(source);
  outside_.emplace_back(residual, source);
  return residual;
}

const BlockCopier::Assignment* BlockCopier::assignment_of(const ModelAttributes::Key& key) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto held = scope->find(key);
    if (held != scope->end()) return &held->second;
  }
  return nullptr;
}

// Modules are no values of the residual graph: what an attribute holds is looked up now.
void BlockCopier::get_attribute(jit::Node* node) {
  const KnownValuePtr owner = source_of(node->input());
  if (owner->kind == KnownValue::Kind::kObject) {
    read_[node->output()] = object_attribute(node, *owner);
    return;
  }
  const KnownValuePtr held = attributes_.read(node, *owner);
  if (const Assignment* assigned = assignment_of(attributes_.key_of(node, *owner))) {
    inside_[node->output()] = assigned->value;
  } else {
    read_[node->output()] = held;
  }
}

void BlockCopier::set_attribute(jit::Node* node) {
  const KnownValuePtr owner = source_of(node->inputs()[0]);
  if (owner->kind == KnownValue::Kind::kObject) {
    throw_unsupported(node, "a branch or loop on data changes an object");
  }
  const std::string path = attributes_.path_of(node, *owner);
  attributes_.learn_assigned(path);
  const ModelAttributes::Key key = attributes_.key_of(node, *owner);
  Assignment& assignment = scopes_.back()[key];
  assignment.path = path;
  assignment.type = owner->value.toObject()->type()->getAttribute(key.second);
  assignment.before = attributes_.read(node, *owner);
  assignment.value = captured(node->inputs()[1]);
}

// True when the node reads or sets an attribute of something outside, and is done. An object made
// in the block is a value like others.
bool BlockCopier::copy_attribute_access(jit::Node* node) {
  const bool reads = node->kind() == c10::prim::GetAttr;
  if ((!reads && node->kind() != c10::prim::SetAttr) || inside_.count(node->inputs()[0]) != 0) {
    return false;
  }
  if (reads) {
    get_attribute(node);
  } else {
    set_attribute(node);
  }
  return true;
}

// `assigned`: what each block of the branch assigns to attributes.
void BlockCopier::merge_assignments(jit::Node* branch, const std::vector<Assignments>& assigned) {
  std::map<std::string, std::pair<ModelAttributes::Key, Assignment>> all;  // in a fixed order
  for (const Assignments& scope : assigned) {
    for (const auto& [key, assignment] : scope) all[assignment.path] = {key, assignment};
  }
  if (!all.empty() && branch->kind() != c10::prim::If) throw_keeps_state(branch);
  for (auto& [path, entry] : all) {
    auto& [key, assignment] = entry;
    for (std::size_t i = 0; i < assigned.size(); ++i) {
      const auto own_value = assigned[i].find(key);
      jit::Value* value = nullptr;
      if (own_value != assigned[i].end()) {
        value = own_value->second.value;
      } else if (const Assignment* outer = assignment_of(key)) {
        value = outer->value;
      } else {
        value = captured(assignment.before);
      }
      branch->blocks()[i]->registerOutput(value);
    }
    assignment.value = branch->addOutput()->setType(c10::unshapedType(assignment.type));
    if (scopes_.empty()) {
      assigned_.emplace_back(key, branch->outputs().size() - 1);
    } else {
      scopes_.back()[key] = assignment;
    }
  }
}

void BlockCopier::copy_blocks(jit::Node* from, jit::Node* to) {
  std::vector<Assignments> assigned;
  for (jit::Block* block : from->blocks()) {
    scopes_.emplace_back();
    copy_block(block, to->addBlock());
    assigned.push_back(std::move(scopes_.back()));
    scopes_.pop_back();
  }
  merge_assignments(to, assigned);
}

void BlockCopier::copy_block(jit::Block* from, jit::Block* to) {
  for (jit::Value* input : from->inputs()) {
    inside_[input] = to->addInput()->setType(c10::unshapedType(input->type()));
  }
  for (jit::Node* node : from->nodes()) {
    if (node->kind() == c10::prim::CallMethod) {
      throw_unsupported(node, "a call through an interface");
    }
    if (copy_attribute_access(node)) continue;
    changes_containers_ = changes_containers_ || changes_container(node);
    jit::Node* copy = copy_node(node);
    for (std::size_t i = 0; i < node->outputs().size(); ++i) {
      inside_[node->outputs()[i]] = copy->outputs()[i];
    }
    copy_blocks(node, copy);
    to->appendNode(copy);
  }
  for (jit::Value* output : from->outputs()) to->registerOutput(captured(output));
}

}  // namespace adamec::torchscript
