#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// How a tensor that does not depend on the model's inputs was computed.
struct Recipe;

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
  c10::IValue value;               // kStatic, kTensor, kOpaque: the value in this very run
  jit::Value* residual = nullptr;  // the value in the residual graph, once it has one
  bool constant = false;           // kTensor: independent of the inputs
  bool shape_from_data = false;    // kTensor: even its shape depends on the inputs' content
  bool from_state = false;         // what is not known depends on the model's state alone
  std::shared_ptr<Recipe> recipe;  // constant tensors that were computed
  std::string name;                // attributes: their path in the model

  std::vector<std::shared_ptr<KnownValue>> elements;  // containers
  std::vector<c10::IValue> keys;                      // kDict, kObject: one per element
  c10::TypePtr type;                                  // containers

  bool is_container() const {
    return kind == Kind::kList || kind == Kind::kTuple || kind == Kind::kDict ||
           kind == Kind::kObject;
  }
};
using KnownValuePtr = std::shared_ptr<KnownValue>;

struct Recipe {
  jit::Node* node = nullptr;
  std::vector<KnownValuePtr> inputs;  // as they were then
  std::size_t output = 0;
};

KnownValuePtr known_static(c10::IValue value);
KnownValuePtr known_tensor(at::Tensor tensor, bool constant);
KnownValuePtr known_container(KnownValue::Kind kind, c10::TypePtr type,
                              std::vector<KnownValuePtr> elements);

// The value as items, containers taken apart. `type` is the value's static type.
KnownValuePtr known_from(const c10::IValue& value, const c10::TypePtr& type, bool constant);

// The value in this run, containers put together. A new container every time.
c10::IValue concrete(const KnownValue& item);

// Whether the whole value is known without running the model.
bool independent_of_inputs(const KnownValue& item);

// A copy of the containers; the elements that are no containers are shared.
KnownValuePtr snapshot(const KnownValuePtr& item);

// Whether both are of one type and hold the same, tensors element by element (NaN is like nothing).
bool same_content(const c10::IValue& a, const c10::IValue& b);

// Whether the key is the same: str, int, float and bool keys.
bool same_key(const c10::IValue& a, const c10::IValue& b);

}  // namespace adamec::torchscript
