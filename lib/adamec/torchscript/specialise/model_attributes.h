#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adamec/torchscript/specialise/assumptions.h"
#include "adamec/torchscript/specialise/known_value.h"

namespace adamec::torchscript {

// What belongs to the model: its attributes as they are by now, their memory, their containers.
//
// The model itself is never written to. Whatever the program writes to an attribute, its memory or
// its containers is noted in the assumptions: it is there in the model's next run, so it is state.
class ModelAttributes {
 public:
  using Key = std::pair<const void*, std::string>;  // object and name

  // The assumptions must outlive this object; it adds to them.
  ModelAttributes(jit::Module module, Assumptions& assumptions);

  // The attribute that the prim::GetAttr or prim::SetAttr `node` names, and its path in the model
  // ("decoder.hidden"). Both throw Unsupported when the owner is no module of the model.
  [[nodiscard]] Key key_of(const jit::Node* node, const KnownValue& owner) const;
  [[nodiscard]] std::string path_of(const jit::Node* node, const KnownValue& owner) const;

  // What the attribute holds by now.
  [[nodiscard]] KnownValuePtr read(const jit::Node* node, const KnownValue& owner);
  [[nodiscard]] const KnownValuePtr& at(const Key& key) const { return attributes_.at(key); }
  // The program assigns to the attribute.
  void assign(const jit::Node* node, const KnownValue& owner, const KnownValuePtr& value);
  void set(const Key& key, KnownValuePtr value) { attributes_[key] = std::move(value); }

  // The attribute at the path is state. Returns its key, type and content before the run.
  struct StateAttribute {
    Key key;
    std::string path;
    c10::TypePtr type;
    c10::IValue initial;
  };
  [[nodiscard]] StateAttribute state_attribute(const std::string& path);

  // From now on the container, or the tensor's memory, is known as the attribute's.
  void own_container(const KnownValuePtr& container, const std::string& path);
  void own_memory(const at::Tensor& tensor, const std::string& path);
  // A constant of the program: it belongs to the model, but to none of its attributes.
  void own_constant(const at::Tensor& tensor);
  // Whether the object belongs to an attribute.
  [[nodiscard]] bool owns(const KnownValue& container) const;
  // Bytes of the memory that the tensor is a view of, where that belongs to the model.
  [[nodiscard]] std::optional<std::uint64_t> owned_bytes(const at::Tensor& tensor) const;

  // Notes that the attribute, or the attribute that has the container, is state.
  void learn_assigned(const std::string& path);
  void learn_container_write(const KnownValue& container);
  // The same for the memory of a tensor. False: it belongs to no attribute; else throws LearntMore.
  bool learn_memory_write(const at::Tensor& tensor);
  // For all that the operator writes to. Throws LearntMore, and Unsupported for constants.
  void learn_writes(const jit::Node* node, const KnownValues& inputs);

  // While it is tried whether attributes stay as they were: throws LearntMore when one does not.
  void check_unchanged() const;

 private:
  void own(const KnownValuePtr& part, const std::string& name, const std::string& path);
  void learn_tensor_write(const jit::Node* node, const KnownValue& tensor);

  const jit::Module module_;
  Assumptions& assumptions_;
  std::map<Key, KnownValuePtr> attributes_;
  std::map<Key, c10::IValue> assigned_;              // while trying: what they held before
  std::map<const void*, std::string> module_paths_;  // of the model's modules
  // Memory by its storage. The model and its program keep it, so addresses do not change hands.
  std::map<const void*, std::uint64_t> storage_bytes_;
  std::map<const void*, std::string> storage_paths_;  // of the attribute that it belongs to
  std::unordered_map<const KnownValue*, std::string> container_paths_;
  KnownValues containers_;  // the same, so that no other gets their addresses
};

// Calls `visit` for every input that the operator's schema says it writes to. `content`: of an
// input that is a list, the tensors in it are written to, not (only) the list.
void for_each_write(const jit::Node* node, const KnownValues& inputs,
                    const std::function<void(const KnownValuePtr& input, bool content)>& visit);

}  // namespace adamec::torchscript
