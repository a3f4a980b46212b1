#include "adamec/torchscript/describe/observed_macs.h"

#include <ATen/record_function.h>

#include <algorithm>

#include "adamec/torchscript/describe/describe_arguments.h"
#include "adamec/torchscript/describe/macs.h"
#include "adamec/torchscript/describe/packed.h"
#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {
namespace {

// LibTorch's callbacks are plain functions, so what they add to is found here.
thread_local std::uint64_t* total = nullptr;
thread_local int open_operators = 0;  // those that count and have not returned yet

struct ObservedCall : at::ObserverContext {
  v1::Operator op;
  std::size_t results = 0;
};

v1::TensorType observed_type(const at::Tensor& tensor) {
  return describe_tensor({tensor.scalar_type(), tensor.sizes().vec()});
}

void add_argument(const std::string& name, const c10::IValue& value, v1::Operator& op) {
  v1::Argument* argument = op.add_arguments();
  argument->set_name(name);
  if (value.isTensor() && value.toTensor().defined()) {
    *argument->add_tensors() = observed_type(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) {
      *argument->add_tensors() = observed_type(tensor);
    }
  } else if (value.isBool()) {
    argument->add_numbers(value.toBool() ? 1 : 0);
  } else if (is_packed(value)) {
    const PackedWeights packed = unpack(value);
    if (name.find("pack") != std::string::npos) argument->set_name("weight");
    if (!packed.tensors.empty()) *argument->add_tensors() = observed_type(packed.tensors[0]);
  }
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  const auto schema = function.operator_schema();
  if (total == nullptr || open_operators > 0 || !schema) return nullptr;
  auto call = std::make_unique<ObservedCall>();
  call->op.set_name(schema->name());
  call->results = schema->returns().size();
  if (!known_macs(call->op)) return nullptr;
  // Calls by the interpreter show its whole stack: the arguments are the last on it.
  const std::size_t count = schema->arguments().size();
  if (function.inputs().size() < count) return nullptr;
  const auto inputs = function.inputs().slice(function.inputs().size() - count);
  for (std::size_t i = 0; i < count; ++i) {
    add_argument(schema->arguments()[i].name(), inputs[i], call->op);
  }
  ++open_operators;
  return call;
}

void end(const at::RecordFunction& function, at::ObserverContext* context) {
  if (context == nullptr) return;
  --open_operators;
  const auto* call = static_cast<ObservedCall*>(context);
  v1::Operator op = call->op;
  const auto& outputs = function.outputs();
  for (std::size_t i = outputs.size() - std::min(outputs.size(), call->results); i < outputs.size();
       ++i) {
    if (outputs[i].isTensor() && outputs[i].toTensor().defined()) {
      *op.add_results() = observed_type(outputs[i].toTensor());
    }
  }
  *total += multiply_accumulates(op);
}

}  // namespace

std::uint64_t observed_macs(const std::function<void()>& work) {
  std::uint64_t macs = 0;
  total = &macs;
  open_operators = 0;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end)
                                                     .needsInputs(true)
                                                     .needsOutputs(true)
                                                     .scopes({at::RecordScope::FUNCTION}));
  const std::shared_ptr<void> off(nullptr, [&](void*) {
    at::removeCallback(handle);
    total = nullptr;
  });
  work();
  return macs;
}

}  // namespace adamec::torchscript
