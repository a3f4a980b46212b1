#pragma once

#include <string>
#include <unordered_set>

#include "adamec/torchscript/specialise.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// What a latency predictor may know of a node: operator, arguments, shapes, MACs, kernel backend.
// `weights`: the values of the residual graph that are weights.
v1::Operator describe_operator(jit::Node* node,
                               const std::unordered_set<const jit::Value*>& weights);

// The tensor's type in the manifest's words.
v1::TensorType describe_tensor(const TensorInfo& info);

// Where in the model the node comes from: "layer1.0.conv1", empty for the model itself.
std::string module_path(jit::Node* node);

// Where its author wrote it: "resnet.py:92"; empty when not known.
std::string source_position(const jit::Node* node);

}  // namespace adamec::torchscript
