#include "adamec/torchscript/describe/describe_arguments.h"

#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/torchscript/describe/packed.h"
#include "adamec/torchscript/run/dtype.h"
#include "adamec/torchscript/run/node_visits.h"

namespace adamec::torchscript {
namespace {

std::string literal(const c10::IValue& value) {
  if (value.isNone()) return "None";
  if (value.isBool()) return value.toBool() ? "true" : "false";
  if (value.isInt()) return fmt::format("{}", value.toInt());
  if (value.isDouble()) return fmt::format("{}", value.toDouble());
  if (value.isString()) return printable(value.toStringRef());
  if (value.isDevice()) return value.toDevice().str();
  if (!value.isList()) return printable(value.type()->repr_str());
  std::string text = "[";
  for (const c10::IValue& element : value.toListRef()) {
    if (text.size() > 1) text += ", ";
    text += literal(element);
  }
  return text + "]";
}

void add_numbers(const c10::IValue& value, v1::Argument& argument) {
  if (value.isBool()) argument.add_numbers(value.toBool() ? 1 : 0);
  if (value.isInt()) argument.add_numbers(static_cast<double>(value.toInt()));
  if (value.isDouble()) argument.add_numbers(value.toDouble());
  if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) add_numbers(element, argument);
  }
}

// A weight, or a weight seen another way.
bool is_weight(jit::Value* value, const WeightContents& weights) {
  if (weights.count(value) != 0) return true;
  jit::Node* node = value->node();
  return node->kind().is_aten() && !node->inputs().empty() && is_tensor(value) &&
         std::all_of(
             node->inputs().begin(), node->inputs().end(),
             [&](jit::Value* input) { return !is_tensor(input) || is_weight(input, weights); }) &&
         is_weight(node->inputs()[0], weights);
}

// The packed weights that the value is, or that are in the list that it is.
std::vector<c10::IValue> packed_contents(jit::Value* value, const WeightContents& weights) {
  if (value->node()->kind() == c10::prim::ListConstruct) {
    std::vector<c10::IValue> contents;
    for (jit::Value* element : value->node()->inputs()) {
      const auto inside = packed_contents(element, weights);
      contents.insert(contents.end(), inside.begin(), inside.end());
    }
    return contents;
  }
  c10::IValue content;
  if (const auto weight = weights.find(value); weight != weights.end()) {
    content = weight->second;
  } else if (const auto constant = jit::toIValue(value)) {
    content = *constant;
  }
  if (!is_packed(content)) return {};
  return {content};
}

v1::TensorType type_of(const at::Tensor& tensor) { return describe_tensor(tensor_info(tensor)); }

// Packed weights as one argument: the tensors inside.
v1::Argument describe_packed(const std::string& name, const std::vector<c10::IValue>& contents) {
  v1::Argument argument;
  argument.set_name(name);
  for (const c10::IValue& content : contents) {
    for (const at::Tensor& tensor : unpack(content).tensors) {
      *argument.add_tensors() = type_of(tensor);
    }
  }
  argument.set_weight(argument.tensors_size() > 0);
  return argument;
}

// The packed weights of a convolution or linear layer as the arguments that its plain form has.
void add_unpacked(const c10::IValue& content, v1::Operator& op) {
  const PackedWeights packed = unpack(content);
  for (std::size_t i = 0; i < packed.tensors.size() && i < 2; ++i) {
    v1::Argument* argument = op.add_arguments();
    argument->set_name(i == 0 ? "weight" : "bias");
    *argument->add_tensors() = type_of(packed.tensors[i]);
    argument->set_weight(true);
  }
  for (const auto& [name, numbers] : packed.settings) {
    v1::Argument* argument = op.add_arguments();
    argument->set_name(name);
    const bool one = name == "groups" || name == "transposed";
    argument->set_literal(name == "transposed" ? (numbers[0] != 0 ? "true" : "false")
                          : one                ? fmt::format("{}", numbers[0])
                                               : fmt::format("[{}]", fmt::join(numbers, ", ")));
    for (const std::int64_t number : numbers) argument->add_numbers(static_cast<double>(number));
  }
}

v1::Argument describe_plain(const std::string& name, jit::Value* value,
                            const WeightContents& weights) {
  v1::Argument argument;
  argument.set_name(name);
  if (is_tensor(value)) {
    *argument.add_tensors() = describe_tensor(tensor_info(value));
    argument.set_weight(is_weight(value, weights));
  } else if (const auto known = known_value(value)) {
    argument.set_literal(literal(*known));
    add_numbers(*known, argument);
  } else if (value->node()->kind() == c10::prim::ListConstruct) {
    bool all_weights = true;
    for (jit::Value* element : value->node()->inputs()) {
      if (!is_tensor(element)) continue;
      *argument.add_tensors() = describe_tensor(tensor_info(element));
      all_weights = all_weights && is_weight(element, weights);
    }
    argument.set_weight(all_weights && argument.tensors_size() > 0);
  } else {
    argument.set_literal(fmt::format("<{}>", printable(value->type()->repr_str())));
  }
  return argument;
}

}  // namespace

std::optional<c10::IValue> known_value(jit::Value* value) {
  jit::Node* node = value->node();
  if (node->kind() == c10::prim::Constant) {
    const auto constant = jit::toIValue(value);
    if (constant && !constant->isTensor()) return *constant;
    return std::nullopt;
  }
  if (node->kind() != c10::prim::ListConstruct) return std::nullopt;
  c10::impl::GenericList list(c10::AnyType::get());
  for (jit::Value* element : node->inputs()) {
    const auto known = known_value(element);
    if (!known) return std::nullopt;
    list.push_back(*known);
  }
  return c10::IValue(list);
}

v1::TensorType describe_tensor(const TensorInfo& info) {
  v1::TensorType type;
  type.set_dtype(to_dtype(info.dtype));
  for (const std::int64_t size : info.shape) type.add_shape(size);
  for (const std::int64_t stride : info.strides) type.add_strides(stride);
  return type;
}

void describe_argument(const std::string& name, jit::Value* value, const WeightContents& weights,
                       v1::Operator& op) {
  const std::vector<c10::IValue> packed = packed_contents(value, weights);
  if (packed.size() == 1 && name.find("pack") != std::string::npos) {
    add_unpacked(packed[0], op);
  } else {
    *op.add_arguments() =
        packed.empty() ? describe_plain(name, value, weights) : describe_packed(name, packed);
  }
}

}  // namespace adamec::torchscript
