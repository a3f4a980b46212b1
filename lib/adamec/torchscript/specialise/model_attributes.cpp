#include "adamec/torchscript/specialise/model_attributes.h"

#include <algorithm>
#include <functional>

#include "adamec/base/error.h"
#include "adamec/torchscript/specialise/memory_log.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {

void for_each_write(const jit::Node* node, const KnownValues& inputs,
                    const std::function<void(const KnownValuePtr& input, bool content)>& visit) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr) return;
  const std::size_t count = std::min(inputs.size(), schema->arguments().size());  // variadic: more
  for (std::size_t i = 0; i < count; ++i) {
    const auto* alias = schema->arguments()[i].alias_info();
    if (alias == nullptr || !alias->isWrite()) continue;
    const auto& contained = alias->containedTypes();
    visit(inputs[i], std::any_of(contained.begin(), contained.end(),
                                 [](const auto& element) { return element.isWrite(); }));
  }
}

ModelAttributes::ModelAttributes(jit::Module module, Assumptions& assumptions)
    : module_(std::move(module)), assumptions_(assumptions) {
  module_paths_[module_._ivalue().get()] = "";
}

std::string ModelAttributes::path_of(const jit::Node* node, const KnownValue& owner) const {
  if (!owner.value.isObject()) {
    throw_unsupported(node, "an attribute of a value that is no module");
  }
  const auto path = module_paths_.find(owner.value.toObject().get());
  if (path == module_paths_.end()) throw_unsupported(node, "an object that is no module");
  const std::string& name = node->s(c10::attr::name);
  return path->second.empty() ? name : path->second + "." + name;
}

ModelAttributes::Key ModelAttributes::key_of(const jit::Node* node, const KnownValue& owner) const {
  (void)path_of(node, owner);
  return {owner.value.toObject().get(), node->s(c10::attr::name)};
}

KnownValuePtr ModelAttributes::read(const jit::Node* node, const KnownValue& owner) {
  const std::string path = path_of(node, owner);
  const auto object = owner.value.toObject();
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

void ModelAttributes::assign(const jit::Node* node, const KnownValue& owner,
                             const KnownValuePtr& value) {
  const Key key = key_of(node, owner);
  if (assumptions_.unchanging) {
    assigned_.emplace(key, owner.value.toObject()->getAttr(key.second));
  } else {
    learn_assigned(path_of(node, owner));
  }
  attributes_[key] = value;
}

ModelAttributes::StateAttribute ModelAttributes::state_attribute(const std::string& path) {
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
  return {{object.get(), name}, path, object->type()->getAttribute(name), object->getAttr(name)};
}

// Notes that the value, called `name`, belongs to the attribute at `path`.
void ModelAttributes::own(const KnownValuePtr& part, const std::string& name,
                          const std::string& path) {
  part->name = name;
  if (part->is_container()) own_container(part, path);
  if (part->kind == KnownValue::Kind::kTensor) {
    const at::Tensor& tensor = part->value.toTensor();
    if (const void* storage = storage_of(tensor)) {
      own_constant(tensor);
      const auto owner = storage_paths_.emplace(storage, path).first;
      if (owner->second != path && (assumptions_.in_place.count(owner->second) != 0 ||
                                    assumptions_.in_place.count(path) != 0)) {
        throw Unsupported(
            fmt::format("the attributes '{}' and '{}' share memory that is written to",
                        owner->second, path),
            /*state=*/true);
      }
    }
  }
  for (std::size_t i = 0; i < part->elements.size(); ++i) {
    own(part->elements[i], fmt::format("{}.{}", name, i), path);
  }
}

void ModelAttributes::own_container(const KnownValuePtr& container, const std::string& path) {
  container_paths_[container.get()] = path;
  containers_.push_back(container);
}

void ModelAttributes::own_memory(const at::Tensor& tensor, const std::string& path) {
  if (const void* storage = storage_of(tensor)) storage_paths_[storage] = path;
}

void ModelAttributes::own_constant(const at::Tensor& tensor) {
  if (const void* storage = storage_of(tensor)) storage_bytes_[storage] = tensor.storage().nbytes();
}

bool ModelAttributes::owns(const KnownValue& container) const {
  return container_paths_.count(&container) != 0;
}

std::optional<std::uint64_t> ModelAttributes::owned_bytes(const at::Tensor& tensor) const {
  const auto found = storage_bytes_.find(storage_of(tensor));
  return found == storage_bytes_.end() ? std::nullopt : std::optional(found->second);
}

void ModelAttributes::learn_assigned(const std::string& path) {
  assumptions_.attributes.insert(path);
}

void ModelAttributes::learn_container_write(const KnownValue& container) {
  const auto path = container_paths_.find(&container);
  if (path != container_paths_.end()) learn_assigned(path->second);
}

bool ModelAttributes::learn_memory_write(const at::Tensor& tensor) {
  const auto path = storage_paths_.find(storage_of(tensor));
  if (path == storage_paths_.end()) return false;
  learn_assigned(path->second);
  assumptions_.in_place.insert(path->second);
  throw LearntMore();
}

void ModelAttributes::learn_tensor_write(const jit::Node* node, const KnownValue& tensor) {
  if (tensor.kind == KnownValue::Kind::kTensor && owned_bytes(tensor.value.toTensor()) &&
      !learn_memory_write(tensor.value.toTensor())) {
    throw_keeps_state(node);  // a constant of the program
  }
  for (const KnownValuePtr& element : tensor.elements) learn_tensor_write(node, *element);
}

void ModelAttributes::learn_writes(const jit::Node* node, const KnownValues& inputs) {
  for_each_write(node, inputs, [&](const KnownValuePtr& input, bool content) {
    if (input->is_container()) learn_container_write(*input);
    if (content || input->kind == KnownValue::Kind::kTensor) learn_tensor_write(node, *input);
  });
}

void ModelAttributes::check_unchanged() const {
  for (const auto& [key, before] : assigned_) {
    const KnownValuePtr& now = attributes_.at(key);
    if (!independent_of_inputs(*now) || !same_content(concrete(*now), before)) throw LearntMore();
  }
}

}  // namespace adamec::torchscript
