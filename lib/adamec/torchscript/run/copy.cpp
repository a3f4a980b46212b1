#include "adamec/torchscript/run/copy.h"

#include <unordered_map>

namespace adamec::torchscript {
namespace {

class Copier {
 public:
  c10::IValue copy(const c10::IValue& value) {
    if (value.isTensor()) return copy_tensor(value.toTensor());
    if (value.isTuple()) return copy_tuple(*value.toTuple());
    if (value.isList()) {
      const auto list = value.toList();
      c10::impl::GenericList result(list.elementType());
      result.reserve(list.size());
      for (const c10::IValue& element : value.toListRef()) result.push_back(copy(element));
      return result;
    }
    if (value.isGenericDict()) {
      const auto dict = value.toGenericDict();
      c10::impl::GenericDict result(dict.keyType(), dict.valueType());
      for (const auto& entry : dict) result.insert(entry.key(), copy(entry.value()));
      return result;
    }
    return value.deepcopy();
  }

 private:
  at::Tensor copy_tensor(const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    const auto known = copies_.find(tensor.unsafeGetTensorImpl());
    if (known != copies_.end()) return known->second;
    // Quantised tensors that lie channels last would become contiguous.
    return copies_[tensor.unsafeGetTensorImpl()] = tensor.layout() == at::kStrided
                                                       ? tensor.clone(at::MemoryFormat::Preserve)
                                                       : tensor.clone();
  }

  c10::IValue copy_tuple(const c10::ivalue::Tuple& tuple) {
    std::vector<c10::IValue> elements;
    for (const c10::IValue& element : tuple.elements()) elements.push_back(copy(element));
    const auto type = tuple.type();
    if (type->schema()) return c10::ivalue::Tuple::createNamed(std::move(elements), type);
    return c10::ivalue::Tuple::create(std::move(elements));
  }

  std::unordered_map<const c10::TensorImpl*, at::Tensor> copies_;
};

}  // namespace

c10::IValue copy_of(const c10::IValue& value) { return Copier().copy(value); }

std::vector<c10::IValue> copy_of(const std::vector<c10::IValue>& values) {
  Copier copier;
  std::vector<c10::IValue> copies;
  for (const c10::IValue& value : values) copies.push_back(copier.copy(value));
  return copies;
}

}  // namespace adamec::torchscript
