#include "adamec/torchscript/specialise/known_value.h"

#include <algorithm>

namespace adamec::torchscript {
namespace {

// Written in TorchScript, and no module.
bool is_plain_class(const c10::ClassType& type) {
  return !type.is_module() && type.name() &&
         !type.name()->qualifiedName().starts_with("__torch__.torch.classes.");
}

}  // namespace

KnownValuePtr known_static(c10::IValue value) {
  auto known = std::make_shared<KnownValue>();
  known->value = std::move(value);
  return known;
}

KnownValuePtr known_tensor(at::Tensor tensor, bool constant) {
  auto known = std::make_shared<KnownValue>();
  known->kind = KnownValue::Kind::kTensor;
  known->value = std::move(tensor);
  known->constant = constant;
  return known;
}

KnownValuePtr known_container(KnownValue::Kind kind, c10::TypePtr type, KnownValues elements) {
  auto known = std::make_shared<KnownValue>();
  known->kind = kind;
  known->type = std::move(type);
  known->elements = std::move(elements);
  return known;
}

KnownValuePtr known_from(const c10::IValue& value, const c10::TypePtr& type, bool constant) {
  if (value.isTensor()) {
    return known_tensor(value.toTensor(), constant);
  }
  KnownValues elements;
  if (value.isList()) {
    const auto list = value.toList();
    for (std::size_t i = 0; i < list.size(); ++i) {
      elements.push_back(known_from(list.get(i), list.elementType(), constant));
    }
    return known_container(KnownValue::Kind::kList, c10::ListType::create(list.elementType()),
                           std::move(elements));
  }
  if (value.isTuple()) {
    const auto tuple = value.toTuple();
    const auto tuple_type = tuple->type();
    for (std::size_t i = 0; i < tuple->elements().size(); ++i) {
      elements.push_back(known_from(tuple->elements()[i], tuple_type->elements()[i], constant));
    }
    return known_container(KnownValue::Kind::kTuple,
                           type->kind() == c10::TypeKind::TupleType ? type : tuple_type,
                           std::move(elements));
  }
  if (value.isGenericDict()) {
    const auto dict = value.toGenericDict();
    auto known = known_container(KnownValue::Kind::kDict,
                                 c10::DictType::create(dict.keyType(), dict.valueType()), {});
    for (const auto& entry : dict) {
      known->keys.push_back(entry.key());
      known->elements.push_back(known_from(entry.value(), dict.valueType(), constant));
    }
    return known;
  }
  if (value.isObject() && is_plain_class(*value.type()->expect<c10::ClassType>())) {
    const auto object = value.toObject();
    const auto known = known_container(KnownValue::Kind::kObject, object->type(), {});
    for (std::size_t i = 0; i < object->slots().size(); ++i) {
      known->keys.emplace_back(object->type()->getAttributeName(i));
      known->elements.push_back(
          known_from(object->getSlot(i), object->type()->getAttribute(i), constant));
    }
    return known;
  }
  auto known = known_static(value);
  if (!constant) known->kind = KnownValue::Kind::kOpaque;
  return known;
}

c10::IValue concrete(const KnownValue& known) {
  switch (known.kind) {
    case KnownValue::Kind::kList: {
      c10::impl::GenericList list(known.type->expectRef<c10::ListType>().getElementType());
      for (const KnownValuePtr& element : known.elements) list.push_back(concrete(*element));
      return list;
    }
    case KnownValue::Kind::kTuple: {
      std::vector<c10::IValue> elements;
      for (const KnownValuePtr& element : known.elements) elements.push_back(concrete(*element));
      const auto type = known.type->cast<c10::TupleType>();
      if (type && type->schema()) {
        return c10::ivalue::Tuple::createNamed(std::move(elements), type);
      }
      return c10::ivalue::Tuple::create(std::move(elements));
    }
    case KnownValue::Kind::kDict: {
      const auto& type = known.type->expectRef<c10::DictType>();
      c10::impl::GenericDict dict(type.getKeyType(), type.getValueType());
      for (std::size_t i = 0; i < known.keys.size(); ++i) {
        dict.insert_or_assign(known.keys[i], concrete(*known.elements[i]));
      }
      return dict;
    }
    case KnownValue::Kind::kObject: {
      const auto object =
          c10::ivalue::Object::create(known.type->cast<c10::ClassType>(), known.elements.size());
      for (std::size_t i = 0; i < known.elements.size(); ++i) {
        object->setSlot(i, concrete(*known.elements[i]));
      }
      return object;
    }
    default:
      return known.value;
  }
}

jit::Stack concrete(const KnownValues& all) {
  jit::Stack values;
  for (const KnownValuePtr& known : all) values.push_back(concrete(*known));
  return values;
}

bool independent_of_inputs(const KnownValue& known) {
  switch (known.kind) {
    case KnownValue::Kind::kStatic:
      return true;
    case KnownValue::Kind::kTensor:
      return known.constant;
    case KnownValue::Kind::kOpaque:
      return false;
    default:
      for (const KnownValuePtr& element : known.elements) {
        if (!independent_of_inputs(*element)) return false;
      }
      return true;
  }
}

bool any_from_data(const KnownValues& all) {
  return std::any_of(all.begin(), all.end(), [](const KnownValuePtr& known) {
    return known->kind == KnownValue::Kind::kOpaque || known->shape_from_data ||
           any_from_data(known->elements);
  });
}

bool known_from_state(const KnownValue& known) {
  if (known.kind == KnownValue::Kind::kOpaque || known.shape_from_data) return known.from_state;
  return std::all_of(known.elements.begin(), known.elements.end(),
                     [](const KnownValuePtr& element) { return known_from_state(*element); });
}

bool same_content(const c10::IValue& a, const c10::IValue& b) {
  const auto all_same = [](const auto& left, const auto& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_content);
  };
  if (a.isTensor() && b.isTensor()) {
    const at::Tensor& left = a.toTensor();
    const at::Tensor& right = b.toTensor();
    if (!left.defined() || !right.defined()) return left.defined() == right.defined();
    return left.is_same(right) ||
           (left.scalar_type() == right.scalar_type() && left.device() == right.device() &&
            left.layout() == at::kStrided && right.layout() == at::kStrided &&
            left.sizes() == right.sizes() && at::equal(left, right));
  }
  if (a.isObject() && b.isObject()) {
    const auto left = a.toObject();
    const auto right = b.toObject();
    if (left == right) return true;
    return !left->type()->is_module() && *left->type() == *right->type() &&
           all_same(left->slots(), right->slots());
  }
  if (a.isList() && b.isList()) return all_same(a.toListRef(), b.toListRef());
  if (a.isTuple() && b.isTuple()) {
    return all_same(a.toTupleRef().elements().vec(), b.toTupleRef().elements().vec());
  }
  if (a.isGenericDict() && b.isGenericDict()) {
    const auto left = a.toGenericDict();
    const auto right = b.toGenericDict();
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), [](const auto& x, const auto& y) {
             return same_key(x.key(), y.key()) && same_content(x.value(), y.value());
           });
  }
  if (a.isNone() || b.isNone()) return a.isNone() && b.isNone();
  return same_key(a, b);
}

KnownValuePtr snapshot(const KnownValuePtr& known) {
  if (!known->is_container()) return known;
  auto copy = std::make_shared<KnownValue>(*known);
  for (KnownValuePtr& element : copy->elements) element = snapshot(element);
  return copy;
}

bool same_key(const c10::IValue& a, const c10::IValue& b) {
  if (a.isString() && b.isString()) return a.toStringRef() == b.toStringRef();
  if (a.isInt() && b.isInt()) return a.toInt() == b.toInt();
  if (a.isBool() && b.isBool()) return a.toBool() == b.toBool();
  if (a.isDouble() && b.isDouble()) return a.toDouble() == b.toDouble();
  return false;
}

}  // namespace adamec::torchscript
