#include "adamec/torchscript/describe/subnormals.h"

#include <algorithm>
#include <vector>

#include "adamec/proto/tensor_type.h"

namespace adamec::torchscript {

std::uint32_t subnormal_permille(const at::Tensor& tensor) {
  if (tensor.scalar_type() != at::kFloat || tensor.layout() != at::kStrided ||
      !tensor.device().is_cpu() || tensor.numel() == 0) {
    return 0;
  }
  const at::Tensor numbers = tensor.contiguous();
  const auto* const bits = static_cast<const std::uint32_t*>(numbers.data_ptr());
  const auto count = static_cast<std::uint64_t>(numbers.numel());
  std::uint64_t subnormal = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint32_t magnitude = bits[i] & 0x7fffffffU;
    subnormal += magnitude - 1 < 0x007fffffU ? 1 : 0;  // of 0 it wraps around
  }
  return static_cast<std::uint32_t>((1000 * subnormal + count / 2) / count);
}

void set_subnormals(const Subnormals& found, v1::Manifest& manifest) {
  if (found.empty()) return;
  std::unordered_map<std::string, std::string> types;  // as they were described
  for (v1::Tensor& tensor : *manifest.mutable_tensors()) {
    if (tensor.role() == v1::WEIGHT) continue;
    types[tensor.id()] = tensor_layout_text(tensor.type());
    const auto at = found.find(tensor.id());
    if (at != found.end()) tensor.mutable_type()->set_subnormal_permille(at->second);
  }
  // Arguments come in the order of an atom's inputs, but among others (weights, what is made
  // within).
  for (v1::Atom& atom : *manifest.mutable_atoms()) {
    std::vector<v1::TensorType*> arguments;
    for (v1::Operator& op : *atom.mutable_operators()) {
      for (v1::Argument& argument : *op.mutable_arguments()) {
        if (argument.weight()) continue;
        for (v1::TensorType& type : *argument.mutable_tensors()) arguments.push_back(&type);
      }
    }
    for (const std::string& input : atom.inputs()) {
      const auto type = types.find(input);
      if (type == types.end()) continue;
      const auto argument =
          std::find_if(arguments.begin(), arguments.end(), [&](const v1::TensorType* candidate) {
            return tensor_layout_text(*candidate) == type->second;
          });
      if (argument == arguments.end()) continue;
      const auto at = found.find(input);
      if (at != found.end()) (*argument)->set_subnormal_permille(at->second);
      arguments.erase(argument);
    }
  }
}

}  // namespace adamec::torchscript
