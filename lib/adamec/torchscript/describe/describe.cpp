#include "adamec/torchscript/describe/describe.h"

#include <algorithm>
#include <optional>

#include "adamec/base/error.h"
#include "adamec/torchscript/describe/macs.h"
#include "adamec/torchscript/run/compat.h"
#include "adamec/torchscript/run/node_visits.h"

namespace adamec::torchscript {
namespace {

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

// Text paddings as numbers; empty when both sides would differ.
std::vector<std::int64_t> padding_of(const std::string& text, const at::Tensor& weight,
                                     const std::vector<std::int64_t>& dilation) {
  std::vector<std::int64_t> padding;
  for (std::int64_t i = 2; weight.defined() && i < weight.dim(); ++i) {
    const std::size_t at = dilation.size() == 1 ? 0 : static_cast<std::size_t>(i - 2);
    const std::int64_t both =
        text == "same" && at < dilation.size() ? dilation[at] * (weight.size(i) - 1) : 0;
    if (both % 2 != 0) return {};
    padding.push_back(both / 2);
  }
  return padding;
}

// Sets the kernel family for one and for several threads. The tensors stand in for the real ones:
// the choice looks at shapes and types only.
void describe_convolution_backend(jit::Node* node, v1::Operator& op) {
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
  arguments.dilation = int_list(input("dilation"));
  const auto padding = known_value(input("padding"));
  arguments.padding = padding && padding->isString()
                          ? padding_of(padding->toStringRef(), arguments.weight, arguments.dilation)
                          : int_list(input("padding"));
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
    if (sizes->size() != spatial) return;
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

void describe_backend(jit::Node* node, v1::Operator& op) {
  const std::string name = node->kind().toQualString();
  std::string backend;
  if (name.starts_with("quantized::") || name.starts_with("aten::quantized_")) {
    if (op.macs() > 0) backend = c10::toString(at::globalContext().qEngine());
  } else if (name.starts_with("prepacked::")) {
    backend = "Xnnpack";
  } else if (name.starts_with("mkldnn_prepacked::")) {
    backend = "Mkldnn";
  } else if (name.find("conv") != std::string::npos) {
    describe_convolution_backend(node, op);
  }
  if (backend.empty()) return;
  op.set_backend_one_thread(backend);
  op.set_backend_many_threads(backend);
}

}  // namespace

v1::Operator describe_operator(jit::Node* node, const WeightContents& weights) {
  v1::Operator op;
  const auto* schema = node->maybeSchema();
  std::string name = node->kind().toQualString();
  if (schema != nullptr && !schema->overload_name().empty()) name += "." + schema->overload_name();
  op.set_name(name);
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    const std::string argument = schema != nullptr && i < schema->arguments().size()
                                     ? schema->arguments()[i].name()
                                     : fmt::format("input{}", i);
    describe_argument(argument, node->inputs()[i], weights, op);
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
  describe_backend(node, op);
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
