#include "adamec/torchscript/describe.h"

#include <algorithm>
#include <optional>

#include "adamec/base/error.h"
#include "adamec/torchscript/compat.h"
#include "adamec/torchscript/load.h"
#include "adamec/torchscript/macs.h"
#include "adamec/torchscript/walk.h"

namespace adamec::torchscript {
namespace {

using Weights = std::unordered_set<const jit::Value*>;

// The value of a scalar or list that the graph spells out.
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
bool is_weight(jit::Value* value, const Weights& weights) {
  if (weights.count(value) != 0) return true;
  jit::Node* node = value->node();
  return node->kind().is_aten() && !node->inputs().empty() && is_tensor(value) &&
         std::all_of(
             node->inputs().begin(), node->inputs().end(),
             [&](jit::Value* input) { return !is_tensor(input) || is_weight(input, weights); }) &&
         is_weight(node->inputs()[0], weights);
}

v1::Argument describe_argument(const std::string& name, jit::Value* value, const Weights& weights) {
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

std::vector<std::int64_t> int_list(jit::Value* value) {
  std::vector<std::int64_t> ints;
  const auto known = known_value(value);
  if (!known || !known->isList()) return ints;
  for (const c10::IValue& element : known->toListRef()) {
    if (element.isInt()) ints.push_back(element.toInt());
  }
  return ints;
}

at::Tensor stand_in(jit::Value* value) {
  const TensorInfo info = tensor_info(value);
  if (info.dtype == c10::ScalarType::Undefined) return {};
  return at::empty(info.shape, at::TensorOptions(info.dtype));
}

// Sets the kernel family for one and for several threads. The tensors stand in for the real ones:
// the choice looks at shapes and types only.
void describe_backend(jit::Node* node, v1::Operator& op) {
  const auto* schema = node->maybeSchema();
  const auto input = [&](const char* name) -> jit::Value* {
    const auto index = schema->argumentIndexWithName(name);
    return index ? node->inputs()[*index] : nullptr;
  };
  if (schema == nullptr || input("weight") == nullptr || input("stride") == nullptr ||
      input("input") == nullptr) {
    return;
  }
  const std::string name = node->kind().toQualString();
  ConvolutionArguments arguments;
  arguments.input = stand_in(input("input"));
  arguments.weight = stand_in(input("weight"));
  if (input("bias") != nullptr) arguments.bias = stand_in(input("bias"));
  arguments.stride = int_list(input("stride"));
  arguments.padding = int_list(input("padding"));
  arguments.dilation = int_list(input("dilation"));
  const std::size_t spatial =
      arguments.weight.defined() && arguments.weight.dim() > 2 ? arguments.weight.dim() - 2 : 0;
  arguments.output_padding = input("output_padding") != nullptr
                                 ? int_list(input("output_padding"))
                                 : std::vector<std::int64_t>(spatial, 0);
  arguments.transposed = name.find("transpose") != std::string::npos;
  if (jit::Value* transposed = input("transposed")) {
    arguments.transposed = known_value(transposed).value_or(false).toBool();
  }
  const auto groups = known_value(input("groups"));
  arguments.groups = groups && groups->isInt() ? groups->toInt() : 1;
  for (auto* sizes : {&arguments.stride, &arguments.padding, &arguments.dilation}) {
    if (sizes->size() == 1) sizes->resize(spatial, sizes->front());
    if (sizes->size() != spatial) return;  // padding given as text, and the like
  }
  if (!arguments.input.defined() || !arguments.weight.defined() || spatial == 0) return;
  if (arguments.input.dim() == arguments.weight.dim() - 1) {
    arguments.input = arguments.input.unsqueeze(0);
  }
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  op.set_backend_one_thread(convolution_backend(arguments));
  at::set_num_threads(2);
  op.set_backend_many_threads(convolution_backend(arguments));
  at::set_num_threads(threads);
}

}  // namespace

v1::TensorType describe_tensor(const TensorInfo& info) {
  v1::TensorType type;
  type.set_dtype(to_dtype(info.dtype));
  for (const std::int64_t size : info.shape) type.add_shape(size);
  return type;
}

v1::Operator describe_operator(jit::Node* node, const Weights& weights) {
  v1::Operator op;
  const auto* schema = node->maybeSchema();
  std::string name = node->kind().toQualString();
  if (schema != nullptr && !schema->overload_name().empty()) name += "." + schema->overload_name();
  op.set_name(name);
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    const std::string argument = schema != nullptr && i < schema->arguments().size()
                                     ? schema->arguments()[i].name()
                                     : fmt::format("input{}", i);
    *op.add_arguments() = describe_argument(argument, node->inputs()[i], weights);
  }
  for (jit::Value* output : node->outputs()) {
    if (is_tensor(output)) {
      *op.add_results() = describe_tensor(tensor_info(output));
      continue;
    }
    for (const jit::Use& use : output->uses()) {  // lists of tensors: their elements
      if (use.user->kind() != c10::prim::ListUnpack) continue;
      for (jit::Value* element : use.user->outputs()) {
        *op.add_results() = describe_tensor(tensor_info(element));
      }
    }
  }
  op.set_macs(multiply_accumulates(op));
  if (name.find("conv") != std::string::npos) describe_backend(node, op);
  return op;
}

std::string module_path(jit::Node* node) {
  std::string path;
  const auto stack = node->callstack();
  if (!stack) return path;
  for (const auto& entry : (*stack)->vec()) {
    const auto module = std::get<2>(entry);
    if (!module || module->instance_name() == "SELF" ||
        module->instance_name() == "INSTANCE_NAME_UNKNOWN") {
      continue;
    }
    if (!path.empty()) path += '.';
    path += module->instance_name();
  }
  return path;
}

std::string source_position(const jit::Node* node) {
  const auto place = node->sourceRange().file_line_col();
  if (!place) return "";
  const std::string& file = std::get<0>(*place);
  return fmt::format("{}:{}", printable(file.substr(file.rfind('/') + 1)), std::get<1>(*place));
}

}  // namespace adamec::torchscript
