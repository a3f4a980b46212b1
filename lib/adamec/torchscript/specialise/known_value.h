#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

struct KnownValue;
using KnownValuePtr = std::shared_ptr<KnownValue>;
using KnownValues = std::vector<KnownValuePtr>;

// How a tensor that does not depend on the model's inputs was computed.
struct Recipe {
  jit::Node* node = nullptr;
  KnownValues inputs;  // as they were then
  std::size_t output = 0;
  std::uint64_t time = 0;  // MemoryLog::now() then: later writes may have changed the inputs
  // The tensor is an element of the output, which is a list of so many.
  struct Element {
    std::size_t index = 0;
    std::size_t count = 0;
  };
  std::optional<Element> element{};
};

// What partial evaluation knows of one value of the model's program.
//
// Containers are kept element by element, shared by reference as in TorchScript, so that a list
// whose length is known may hold tensors that are not.
struct KnownValue {
  enum class Kind {
    kStatic,  // a non-tensor known now: it depends on shapes, types, constants only
    kTensor,  // a tensor; `constant` tells whether its content is known now, too
    kOpaque,  // anything that depends on the content of input tensors
    kList,
    kTuple,
    kDict,
    kObject,  // an object of a class that is no module; `keys` are its attributes' names
  };

  Kind kind = Kind::kStatic;
  c10::IValue value;                // kStatic, kTensor, kOpaque: the value in this very run
  jit::Value* residual = nullptr;   // the value in the residual graph, once it has one
  std::uint64_t residual_time = 0;  // constant tensors: MemoryLog::now() when it got that
  bool constant = false;            // kTensor: independent of the inputs
  bool shape_from_data = false;     // kTensor: even its shape depends on the inputs' content
  bool from_state = false;          // what is not known depends on the model's state alone
  std::shared_ptr<Recipe> recipe;   // constant tensors that were computed
  std::string name;                 // attributes: their path in the model

  KnownValues elements;           // containers
  std::vector<c10::IValue> keys;  // kDict, kObject: one per element
  c10::TypePtr type;              // containers

  [[nodiscard]] bool is_container() const {
    return kind == Kind::kList || kind == Kind::kTuple || kind == Kind::kDict ||
           kind == Kind::kObject;
  }
  // A constant tensor that was computed, and may be computed again instead of being stored.
  // Elements of lists are always stored.
  [[nodiscard]] bool is_computed() const { return recipe != nullptr && !recipe->element; }
};

[[nodiscard]] KnownValuePtr known_static(c10::IValue value);
[[nodiscard]] KnownValuePtr known_tensor(at::Tensor tensor, bool constant);
[[nodiscard]] KnownValuePtr known_container(KnownValue::Kind kind, c10::TypePtr type,
                                            KnownValues elements);

// What is known of a value, containers taken apart. `type` is the value's static type. What is no
// tensor and not `constant` is opaque.
[[nodiscard]] KnownValuePtr known_from(const c10::IValue& value, const c10::TypePtr& type,
                                       bool constant);

// The value in this run, containers put together. A new container every time.
[[nodiscard]] c10::IValue concrete(const KnownValue& known);
// The same of several, in their order.
[[nodiscard]] jit::Stack concrete(const KnownValues& all);

// Whether the whole value is known without running the model.
[[nodiscard]] bool independent_of_inputs(const KnownValue& known);
// Whether a number, or the shape of a tensor, among the values depends on content.
[[nodiscard]] bool any_from_data(const KnownValues& all);
// Whether the numbers and shapes that are not known depend on the model's state alone.
[[nodiscard]] bool known_from_state(const KnownValue& known);

// A copy of the containers; the elements that are no containers are shared.
[[nodiscard]] KnownValuePtr snapshot(const KnownValuePtr& known);

// Whether both are of one type and hold the same, tensors element by element (NaN is like nothing).
[[nodiscard]] bool same_content(const c10::IValue& a, const c10::IValue& b);

// Whether the key is the same: str, int, float and bool keys.
[[nodiscard]] bool same_key(const c10::IValue& a, const c10::IValue& b);

}  // namespace adamec::torchscript
