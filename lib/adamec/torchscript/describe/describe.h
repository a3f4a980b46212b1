#pragma once

#include <string>

#include "adamec/torchscript/describe/describe_arguments.h"
#include "adamec/v1/archive.pb.h"

namespace adamec::torchscript {

// What a latency predictor may know of a node: operator, arguments, shapes, MACs, kernel backend.
// Packed weights are described as the plain weights and settings inside.
[[nodiscard]] v1::Operator describe_operator(jit::Node* node, const WeightContents& weights);

// Where in the model the node comes from: "layer1.0.conv1", empty for the model itself.
[[nodiscard]] std::string module_path(jit::Node* node);

// Where its author wrote it: "resnet.py:92"; empty when not known.
[[nodiscard]] std::string source_position(const jit::Node* node);

}  // namespace adamec::torchscript
