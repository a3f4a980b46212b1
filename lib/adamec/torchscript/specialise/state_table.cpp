#include "adamec/torchscript/specialise/state_table.h"

#include <stdexcept>

#include "adamec/base/error.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/operator_results.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

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

// Of the i-th element of a container of that type.
c10::TypePtr element_type(const KnownValue& container, const c10::TypePtr& type, std::size_t i) {
  return container.kind == KnownValue::Kind::kTuple ? type->containedTypes().at(i)
                                                    : type->containedTypes().back();
}

}  // namespace

StateTable::StateTable(Assumptions& assumptions, ModelAttributes& attributes,
                       ResidualWriter& writer, ShapeGuards& guards)
    : assumptions_(assumptions), attributes_(attributes), writer_(writer), guards_(guards) {}

bool StateTable::from_state(const std::string& path) const {
  return assumptions_.from_data.count(path) == 0;
}

void StateTable::add_inputs() {
  for (const std::string& path : assumptions_.attributes) {
    const auto& state = states_.emplace_back(attributes_.state_attribute(path));
    attributes_.set(state.key, add(state.type, state.initial, path, path));
  }
}

KnownValuePtr StateTable::add(const c10::TypePtr& type, const c10::IValue& value,
                              const std::string& name, const std::string& path) {
  if (type->kind() == c10::TypeKind::OptionalType) {
    const auto content = type->expectRef<c10::OptionalType>().getElementType();
    return add_optional(content, value, name, path);
  }
  if (value.isTensor() && value.toTensor().defined() && value.toTensor().layout() == at::kStrided) {
    return add_tensor(value.toTensor(), name, path);
  }
  if (is_number(type)) {
    const KnownValuePtr number = known_static(value);
    number->kind = KnownValue::Kind::kOpaque;
    number->residual = writer_.unboxed(writer_.add_state(name, number_tensor(value)), type);
    number->from_state = from_state(path);
    return number;
  }
  if (!value.isTuple() && !value.isList() && !value.isGenericDict()) unsupported_state(name, type);
  const KnownValuePtr container = known_from(value, type, true);
  for (std::size_t i = 0; i < container->elements.size(); ++i) {
    KnownValuePtr& element = container->elements[i];
    element = add(element_type(*container, type, i), concrete(*element),
                  fmt::format("{}.{}", name, i), path);
  }
  attributes_.own_container(container, path);
  return container;
}

KnownValuePtr StateTable::add_tensor(const at::Tensor& value, const std::string& name,
                                     const std::string& path) {
  attributes_.own_memory(value, path);
  const at::Tensor initial = value.detach().clone();
  const KnownValuePtr tensor = known_tensor(initial.clone(), false);
  tensor->residual = writer_.add_state(name, initial);
  guards_.assume_shape(*tensor, from_state(path), fmt::format("state '{}'", name));
  if (assumptions_.in_place.count(path) != 0) {
    tensor->residual = writer_.graph().insert(c10::aten::clone, {tensor->residual});
    note_tensor(tensor->residual, initial);
  }
  return tensor;
}

// Two or more tensors: whether it is there, and its content.
KnownValuePtr StateTable::add_optional(const c10::TypePtr& content, const c10::IValue& value,
                                       const std::string& name, const std::string& path) {
  jit::Graph& graph = writer_.graph();
  const bool there = !value.isNone();
  jit::Value* flag = writer_.unboxed(writer_.add_state(name + ".is_there", number_tensor(there)),
                                     c10::BoolType::get());
  const KnownValuePtr inner = add(content, there ? value : placeholder(content), name, path);
  jit::Node* choice = graph.insertNode(graph.create(c10::prim::If, {flag}, 1));
  jit::Value* full = writer_.materialise(inner);
  if (inner->is_container()) writer_.mark_portable(full->node());
  choice->addBlock()->registerOutput(full);
  jit::Block* empty = choice->addBlock();
  {
    const jit::WithInsertPoint inside(empty->return_node());
    empty->registerOutput(graph.insertConstant(c10::IValue()));
  }
  choice->output()->setType(c10::OptionalType::create(content));
  writer_.mark_portable(choice);
  const KnownValuePtr optional = known_static(value);
  optional->kind = KnownValue::Kind::kOpaque;
  optional->residual = choice->output();
  optional->from_state = from_state(path);
  return optional;
}

void StateTable::add_outputs() {
  for (const auto& state : states_) {
    const KnownValuePtr now = attributes_.at(state.key);
    if (!known_from_state(*now)) assumptions_.from_data.insert(state.path);
    try {
      set_next(state.type, now);
    } catch (const std::out_of_range&) {
      unsupported_state(state.path, state.type);  // it has become longer
    }
  }
  if (next_ != writer_.states().size()) {
    throw Unsupported("a list that the model keeps from one run to the next changes its length",
                      /*state=*/true);
  }
}

const std::string& StateTable::next_name() const { return writer_.states().at(next_).name; }

void StateTable::set_next_tensor(jit::Value* next) {
  (void)next_name();  // throws when the state has become longer
  writer_.set_next_state(next_++, next);
}

// What the attribute holds in the end, tensor by tensor as add() made them.
void StateTable::set_next(const c10::TypePtr& type, const KnownValuePtr& now) {
  if (type->kind() == c10::TypeKind::OptionalType) {
    return set_next_optional(type->expectRef<c10::OptionalType>().getElementType(), now);
  }
  const std::string& name = next_name();
  if (now->kind == KnownValue::Kind::kTensor) {
    const at::Tensor tensor = now->value.toTensor();
    if (!tensor.defined()) unsupported_state(name, type);
    return set_next_tensor(now->constant ? constant(tensor.detach().clone())
                                         : writer_.materialise(now));
  }
  if (is_number(type)) {
    return set_next_tensor(now->kind == KnownValue::Kind::kStatic
                               ? constant(number_tensor(now->value))
                               : writer_.boxed(writer_.materialise(now)));
  }
  if (now->is_container()) {
    for (std::size_t i = 0; i < now->elements.size(); ++i) {
      set_next(element_type(*now, type, i), now->elements[i]);
    }
    return;
  }
  if (type->kind() != c10::TypeKind::TupleType || !now->value.isTuple()) {
    unsupported_state(name, type);
  }
  jit::Graph& graph = writer_.graph();
  jit::Node* unpack = graph.insertNode(graph.createTupleUnpack(writer_.materialise(now)));
  const KnownValues parts =
      known_results(unpack, now->value.toTupleRef().elements().vec(),
                    {.from_data = true, .from_state = now->from_state}, writer_, guards_);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    set_next(type->containedTypes().at(i), parts[i]);
  }
}

void StateTable::set_next_optional(const c10::TypePtr& content, const KnownValuePtr& now) {
  if (now->kind != KnownValue::Kind::kOpaque) {
    const bool there = now->kind != KnownValue::Kind::kStatic || !now->value.isNone();
    set_next_tensor(constant(number_tensor(there)));
    return set_next(content, there ? now : known_from(placeholder(content), content, true));
  }
  if (content->kind() == c10::TypeKind::TupleType) unsupported_state(next_name(), content);
  jit::Graph& graph = writer_.graph();
  jit::Value* value = writer_.materialise(now);
  jit::Value* there = graph.insert(c10::aten::__isnot__, {value, c10::IValue()});
  set_next_tensor(writer_.boxed(there));
  const c10::IValue nothing = placeholder(content);
  jit::Value* empty = constant(nothing.isTensor() ? nothing.toTensor() : number_tensor(nothing));
  jit::Node* choice = graph.insertNode(graph.create(c10::prim::If, {there}, 1));
  jit::Block* full = choice->addBlock();
  {
    const jit::WithInsertPoint inside(full->return_node());
    jit::Node* cast = graph.insertNode(graph.create(c10::prim::unchecked_cast, {value}, 1));
    cast->output()->setType(content);
    full->registerOutput(nothing.isTensor() ? cast->output() : writer_.boxed(cast->output()));
  }
  choice->addBlock()->registerOutput(empty);
  choice->output()->setType(c10::TensorType::get());
  set_next_tensor(choice->output());
}

}  // namespace adamec::torchscript
