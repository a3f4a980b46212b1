#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/specialiser.h"

namespace adamec::torchscript {
namespace {

bool known_from_state(const KnownValue& item) {
  if (item.kind == KnownValue::Kind::kOpaque || item.shape_from_data) return item.from_state;
  return std::all_of(item.elements.begin(), item.elements.end(),
                     [](const KnownValuePtr& element) { return known_from_state(*element); });
}

bool has_numbers(const jit::Node* node) {
  return std::any_of(node->outputs().begin(), node->outputs().end(),
                     [](const jit::Value* output) { return !is_tensor(output); });
}

at::Tensor number_tensor(const c10::IValue& number) {
  if (number.isBool()) return at::scalar_tensor(number.toBool(), at::kBool);
  if (number.isInt()) return at::scalar_tensor(number.toInt(), at::kLong);
  return at::scalar_tensor(number.toDouble(), at::kDouble);
}

// What stands for the content of something that is None.
c10::IValue placeholder(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
      return at::empty({0});
    case c10::TypeKind::IntType:
      return std::int64_t{0};
    case c10::TypeKind::FloatType:
      return 0.0;
    case c10::TypeKind::BoolType:
      return false;
    case c10::TypeKind::TupleType: {
      std::vector<c10::IValue> elements;
      for (const auto& element : type->containedTypes()) elements.push_back(placeholder(element));
      return c10::ivalue::Tuple::create(std::move(elements));
    }
    default:
      throw Unsupported(fmt::format("state of type Optional[{}]", type->repr_str()),
                        /*state=*/true);
  }
}

[[noreturn]] void unsupported_state(const std::string& name, const c10::TypePtr& type) {
  throw Unsupported(fmt::format("'{}' keeps a {} from one run to the next", name, type->repr_str()),
                    /*state=*/true);
}

}  // namespace

void Specialiser::learn(std::set<std::string>& assumptions, const std::string& what) {
  assumptions.insert(what);
}

jit::Value* Specialiser::add_state(const std::string& name, const at::Tensor& initial) {
  jit::Value* value = residual_.graph->addInput();
  note_tensor(value, initial);
  residual_.states.push_back({name, value, initial, 0});
  return value;
}

// Attributes known to be state are inputs of the graph from the start.
void Specialiser::add_states() {
  for (const std::string& path : assumptions_.attributes) {
    auto object = module_._ivalue();
    std::string name = path;
    std::string prefix;
    for (std::size_t dot; (dot = name.find('.')) != std::string::npos;) {
      const std::string part = name.substr(0, dot);
      prefix += (prefix.empty() ? "" : ".") + part;
      object = object->getAttr(part).toObject();
      module_paths_[object.get()] = prefix;
      name.erase(0, dot + 1);
    }
    const c10::TypePtr type = object->type()->getAttribute(name);
    states_.push_back({{object.get(), name}, path, type});
    attributes_[states_.back().key] = state_value(type, object->getAttr(name), path, path);
  }
}

KnownValuePtr Specialiser::state_value(const c10::TypePtr& type, const c10::IValue& value,
                                       const std::string& name, const std::string& path) {
  const bool from_state = assumptions_.from_data.count(path) == 0;
  if (type->kind() == c10::TypeKind::OptionalType) {
    const auto content = type->expectRef<c10::OptionalType>().getElementType();
    return optional_state(content, value, name, path);
  }
  if (value.isTensor() && value.toTensor().defined() && value.toTensor().layout() == at::kStrided) {
    if (value.toTensor().has_storage()) {
      storage_paths_[value.toTensor().storage().unsafeGetStorageImpl()] = path;
    }
    const at::Tensor initial = value.toTensor().detach().clone();
    const KnownValuePtr item = known_tensor(initial.clone(), false);
    item->residual = add_state(name, initial);
    assume_shape(item, from_state, fmt::format("state '{}'", name));
    if (assumptions_.in_place.count(path) != 0) {
      item->residual = residual_.graph->insert(c10::aten::clone, {item->residual});
      note_tensor(item->residual, initial);
    }
    return item;
  }
  if (is_number(type)) {
    const KnownValuePtr item = known_static(value);
    item->kind = KnownValue::Kind::kOpaque;
    item->residual = unboxed(add_state(name, number_tensor(value)), type);
    item->from_state = from_state;
    return item;
  }
  if (!value.isTuple() && !value.isList() && !value.isGenericDict()) unsupported_state(name, type);
  const KnownValuePtr container = known_from(value, type, true);
  for (std::size_t i = 0; i < container->elements.size(); ++i) {
    const c10::TypePtr part = container->kind == KnownValue::Kind::kTuple
                                  ? type->containedTypes().at(i)
                                  : type->containedTypes().back();
    KnownValuePtr& element = container->elements[i];
    element = state_value(part, concrete(*element), fmt::format("{}.{}", name, i), path);
  }
  note_container(container, path);
  return container;
}

// Two or more tensors: whether it is there, and its content.
KnownValuePtr Specialiser::optional_state(const c10::TypePtr& content, const c10::IValue& value,
                                          const std::string& name, const std::string& path) {
  jit::Graph& graph = *residual_.graph;
  const bool there = !value.isNone();
  jit::Value* flag =
      unboxed(add_state(name + ".is_there", number_tensor(there)), c10::BoolType::get());
  const KnownValuePtr inner =
      state_value(content, there ? value : placeholder(content), name, path);
  jit::Node* choice = graph.insertNode(graph.create(c10::prim::If, {flag}, 1));
  jit::Value* full = materialise(inner);
  if (inner->is_container()) residual_.portable.insert(full->node());
  choice->addBlock()->registerOutput(full);
  jit::Block* empty = choice->addBlock();
  {
    const jit::WithInsertPoint inside(empty->return_node());
    empty->registerOutput(graph.insertConstant(c10::IValue()));
  }
  choice->output()->setType(c10::OptionalType::create(content));
  residual_.portable.insert(choice);
  const KnownValuePtr item = known_static(value);
  item->kind = KnownValue::Kind::kOpaque;
  item->residual = choice->output();
  item->from_state = assumptions_.from_data.count(path) == 0;
  return item;
}

void Specialiser::set_attribute(jit::Node* node) {
  const KnownValuePtr owner = item(node->inputs()[0]);
  const std::string path = attribute_path(node, owner);
  const auto object = owner->value.toObject();
  const AttributeKey key{object.get(), node->s(c10::attr::name)};
  if (assumptions_.unchanging) {
    assigned_.emplace(key, object->getAttr(key.second));
  } else {
    learn(assumptions_.attributes, path);
  }
  attributes_[key] = item(node->inputs()[1]);
}

void Specialiser::check_unchanged() const {
  for (const auto& [key, before] : assigned_) {
    const KnownValuePtr& now = attributes_.at(key);
    if (!independent_of_inputs(*now) || !same_content(concrete(*now), before)) throw LearntMore();
  }
}

// A shape that may be another in the next run. Where it depends on the model's state alone and has
// not been seen to change, it is taken for granted, and checked.
void Specialiser::assume_shape(const KnownValuePtr& tensor, bool from_state,
                               const std::string& guard) {
  if (from_state && assumptions_.varying.count(guard) == 0) {
    tensor->residual = guarded(tensor->residual, tensor->value.toTensor(), guard, nullptr);
  } else {
    tensor->shape_from_data = true;
    tensor->from_state = from_state;
  }
}

// The value itself; raises an exception when its shape or type is not the tensor's. With
// `known_sizes` only the rank and these sizes are looked at.
jit::Value* Specialiser::guarded(jit::Value* value, const at::Tensor& tensor,
                                 const std::string& guard,
                                 const std::set<std::size_t>* known_sizes) {
  jit::Graph& graph = *residual_.graph;
  jit::Value* good = nullptr;
  const auto insert = [&](c10::Symbol kind, at::ArrayRef<jit::NamedValue> arguments) {
    jit::Value* result = graph.insert(kind, arguments);
    residual_.portable.insert(result->node());
    return result;
  };
  const auto require = [&](jit::Value* have, const jit::NamedValue& want) {
    jit::Value* same = insert(c10::aten::eq, {have, want});
    good = good == nullptr ? same : insert(c10::aten::__and__, {good, same});
  };
  if (known_sizes == nullptr) {
    require(insert(c10::aten::size, {value}), tensor.sizes().vec());
    require(insert(c10::prim::dtype, {value}), static_cast<std::int64_t>(tensor.scalar_type()));
  } else {
    require(insert(c10::aten::dim, {value}), tensor.dim());
    for (const std::size_t i : *known_sizes) {
      require(insert(c10::aten::size, {value, static_cast<std::int64_t>(i)}),
              tensor.size(static_cast<std::int64_t>(i)));
    }
  }
  jit::Node* check = graph.insertNode(graph.create(c10::prim::If, {good}, 1));
  check->addBlock()->registerOutput(value);
  jit::Block* bad = check->addBlock();
  {
    const jit::WithInsertPoint inside(bad->return_node());
    jit::Value* text = graph.insertConstant(
        fmt::format("{}{}{}[{}], for which the model was cut", guard, kGuardText,
                    c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), ",")));
    jit::Value* type = graph.insertConstant(std::string("builtins.RuntimeError"));
    graph.insertNode(graph.create(c10::prim::RaiseException, {text, type}, 0));
    bad->registerOutput(value);
  }
  residual_.portable.insert(check);
  note_tensor(check->output(), tensor);
  unguarded_[check->output()] = unguarded(value);
  residual_.guards.push_back(guard);
  return check->output();
}

jit::Value* Specialiser::unguarded(jit::Value* value) const {
  const auto found = unguarded_.find(value);
  return found == unguarded_.end() ? value : found->second;
}

// A number as a tensor without dimensions, and back.
jit::Value* Specialiser::boxed(jit::Value* number) {
  jit::Node* node = residual_.graph->create(c10::prim::NumToTensor, {number}, 1);
  node->output()->setType(c10::TensorType::get());
  return residual_.graph->insertNode(node)->output();
}

jit::Value* Specialiser::unboxed(jit::Value* tensor, const c10::TypePtr& type) {
  const c10::Symbol kind = type->kind() == c10::TypeKind::IntType     ? c10::aten::Int
                           : type->kind() == c10::TypeKind::FloatType ? c10::aten::Float
                                                                      : c10::aten::Bool;
  return residual_.graph->insert(kind, {tensor});
}

jit::Value* Specialiser::constant_state(const at::Tensor& tensor) {
  return add_weight("state", tensor);
}

void Specialiser::set_next(std::size_t& state, jit::Value* next) {
  residual_.states.at(state++).next = residual_.graph->registerOutput(unguarded(next));
}

void Specialiser::register_states() {
  std::size_t state = 0;
  for (const StateAttribute& attribute : states_) {
    const KnownValuePtr& last = attributes_.at(attribute.key);
    if (!known_from_state(*last)) learn(assumptions_.from_data, attribute.path);
    try {
      next_state(attribute.type, last, state);
    } catch (const std::out_of_range&) {
      unsupported_state(attribute.path, attribute.type);  // it has become longer
    }
  }
  if (state != residual_.states.size()) {
    throw Unsupported("a list that the model keeps from one run to the next changes its length",
                      /*state=*/true);
  }
}

// Registers what the attribute holds in the end, tensor by tensor as state_value() made them.
void Specialiser::next_state(const c10::TypePtr& type, const KnownValuePtr& item,
                             std::size_t& state) {
  if (type->kind() == c10::TypeKind::OptionalType) {
    return next_optional(type->expectRef<c10::OptionalType>().getElementType(), item, state);
  }
  const std::string& name = residual_.states.at(state).name;
  if (item->kind == KnownValue::Kind::kTensor) {
    const at::Tensor tensor = item->value.toTensor();
    if (!tensor.defined()) unsupported_state(name, type);
    return set_next(state,
                    item->constant ? constant_state(tensor.detach().clone()) : materialise(item));
  }
  if (is_number(type)) {
    return set_next(state, item->kind == KnownValue::Kind::kStatic
                               ? constant_state(number_tensor(item->value))
                               : boxed(materialise(item)));
  }
  if (item->is_container()) {
    for (std::size_t i = 0; i < item->elements.size(); ++i) {
      next_state(item->kind == KnownValue::Kind::kTuple ? type->containedTypes().at(i)
                                                        : type->containedTypes().back(),
                 item->elements[i], state);
    }
    return;
  }
  if (type->kind() != c10::TypeKind::TupleType || !item->value.isTuple()) {
    unsupported_state(name, type);
  }
  jit::Node* unpack =
      residual_.graph->insertNode(residual_.graph->createTupleUnpack(materialise(item)));
  const Items parts = wrap_outputs(unpack, item->value.toTupleRef().elements().vec(),
                                   {true, item->from_state, "", ""});
  for (std::size_t i = 0; i < parts.size(); ++i) {
    next_state(type->containedTypes().at(i), parts[i], state);
  }
}

void Specialiser::next_optional(const c10::TypePtr& content, const KnownValuePtr& item,
                                std::size_t& state) {
  if (item->kind != KnownValue::Kind::kOpaque) {
    const bool there = item->kind != KnownValue::Kind::kStatic || !item->value.isNone();
    set_next(state, constant_state(number_tensor(there)));
    return next_state(content, there ? item : known_from(placeholder(content), content, true),
                      state);
  }
  if (content->kind() == c10::TypeKind::TupleType)
    unsupported_state(residual_.states.at(state).name, content);
  jit::Graph& graph = *residual_.graph;
  jit::Value* value = materialise(item);
  jit::Value* there = graph.insert(c10::aten::__isnot__, {value, c10::IValue()});
  set_next(state, boxed(there));
  const c10::IValue nothing = placeholder(content);
  jit::Value* empty =
      constant_state(nothing.isTensor() ? nothing.toTensor() : number_tensor(nothing));
  jit::Node* choice = graph.insertNode(graph.create(c10::prim::If, {there}, 1));
  jit::Block* full = choice->addBlock();
  {
    const jit::WithInsertPoint inside(full->return_node());
    jit::Node* cast = graph.insertNode(graph.create(c10::prim::unchecked_cast, {value}, 1));
    cast->output()->setType(content);
    full->registerOutput(nothing.isTensor() ? cast->output() : boxed(cast->output()));
  }
  choice->addBlock()->registerOutput(empty);
  choice->output()->setType(c10::TensorType::get());
  set_next(state, choice->output());
}

// Whether all that is not known of the results depends on the model's state alone.
bool Specialiser::only_from_state(jit::Node* node, const Items& inputs) const {
  const bool query = is_type_query(node) || is_shape_query(node);
  const std::function<bool(const KnownValuePtr&)> good = [&](const KnownValuePtr& item) {
    if (!known_from_state(*item)) return false;
    if (item->kind == KnownValue::Kind::kTensor && !item->constant && !query && has_numbers(node)) {
      return false;  // its content
    }
    return std::all_of(item->elements.begin(), item->elements.end(), good);
  };
  return std::all_of(inputs.begin(), inputs.end(), good) && !shape_depends_on_content(node, inputs);
}

}  // namespace adamec::torchscript
