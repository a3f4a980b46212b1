// Attributes of modules, and of objects of classes that are no modules, such as the image lists of
// detection models: the model makes these, and they are taken apart into what they hold.
#include "adamec/torchscript/specialise/partial_evaluator.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {

KnownValuePtr& object_attribute(const jit::Node* node, KnownValue& object) {
  const auto& type = object.type->expectRef<c10::ClassType>();
  return object.elements.at(type.getAttributeSlot(node->s(c10::attr::name)));
}

void PartialEvaluator::create_object(jit::Node* node) {
  const auto type = node->output()->type()->expect<c10::ClassType>();
  const KnownValuePtr object = known_container(KnownValue::Kind::kObject, type, {});
  for (std::size_t i = 0; i < type->numAttributes(); ++i) {
    object->keys.emplace_back(type->getAttributeName(i));
    object->elements.push_back(known_static(c10::IValue()));
  }
  bind(node->outputs(), {object});
}

void PartialEvaluator::get_attribute(jit::Node* node) {
  const KnownValuePtr owner = known(node->input());
  bind(node->outputs(),
       {owner->kind == KnownValue::Kind::kObject ? object_attribute(node, *owner)
                                                 : attributes_.read(node, *owner)});
}

void PartialEvaluator::set_attribute(jit::Node* node) {
  const KnownValuePtr owner = known(node->inputs()[0]);
  const KnownValuePtr value = known(node->inputs()[1]);
  if (owner->kind != KnownValue::Kind::kObject) return attributes_.assign(node, *owner, value);
  // The model holds the object, and its next run sees the change.
  if (attributes_.owns(*owner)) throw_keeps_state(node);
  object_attribute(node, *owner) = value;
}

}  // namespace adamec::torchscript
