#include "adamec/torchscript/specialise/specialiser.h"

// Objects of classes that are no modules, such as the image lists of detection models: the model
// makes them, and they are taken apart into what their attributes hold.
namespace adamec::torchscript {

void Specialiser::create_object(jit::Node* node) {
  const auto type = node->output()->type()->expect<c10::ClassType>();
  const KnownValuePtr object = known_container(KnownValue::Kind::kObject, type, {});
  for (std::size_t i = 0; i < type->numAttributes(); ++i) {
    object->keys.emplace_back(type->getAttributeName(i));
    object->elements.push_back(known_static(c10::IValue()));
  }
  bind(node->outputs(), {object});
}

KnownValuePtr& Specialiser::object_attribute(jit::Node* node, const KnownValuePtr& object) const {
  const auto& type = object->type->expectRef<c10::ClassType>();
  return object->elements.at(type.getAttributeSlot(node->s(c10::attr::name)));
}

// True when the node reads or sets an attribute of such an object, and it is done.
bool Specialiser::apply_object(jit::Node* node) {
  const KnownValuePtr object = item(node->inputs()[0]);
  if (object->kind != KnownValue::Kind::kObject) return false;
  KnownValuePtr& attribute = object_attribute(node, object);
  if (node->kind() == c10::prim::GetAttr) {
    bind(node->outputs(), {attribute});
  } else if (container_paths_.count(object.get()) != 0) {
    keeps_state(node);  // the model holds the object, and its next run sees the change
  } else {
    attribute = item(node->inputs()[1]);
  }
  return true;
}

}  // namespace adamec::torchscript
