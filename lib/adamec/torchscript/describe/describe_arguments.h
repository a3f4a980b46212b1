#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "adamec/torchscript/specialise/specialise.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// The values of the residual graph that are weights, and what they hold.
using WeightContents = std::unordered_map<const jit::Value*, c10::IValue>;

// The value of a scalar or list that the graph spells out.
[[nodiscard]] std::optional<c10::IValue> known_value(jit::Value* value);

// The tensor's type in the manifest's words.
[[nodiscard]] v1::TensorType describe_tensor(const TensorInfo& info);

// Adds the argument to the operator's. The packed weights of a convolution or linear layer become
// the arguments that its plain form has: weight, bias, stride, ...
void describe_argument(const std::string& name, jit::Value* value, const WeightContents& weights,
                       v1::Operator& op);

}  // namespace adamec::torchscript
