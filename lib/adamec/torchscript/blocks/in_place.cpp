#include "adamec/torchscript/blocks/in_place.h"

#include <set>
#include <string>

namespace adamec::torchscript {
namespace {

const std::set<std::string> kElementwise = {
    "aten::relu", "aten::hardtanh", "aten::hardswish", "aten::hardsigmoid", "aten::silu",
    "aten::tanh", "aten::sigmoid",  "aten::elu",       "aten::leaky_relu",  "aten::relu6"};

// Their results never share memory with anything else.
bool gives_new_memory(const jit::Node* node) {
  static const std::set<std::string> names = {
      "aten::_convolution", "aten::conv2d",     "aten::batch_norm", "aten::linear",
      "aten::max_pool2d",   "aten::avg_pool2d", "aten::cat",        "aten::matmul",
      "aten::layer_norm",   "aten::add",        "aten::mul",        "aten::sub"};
  std::string name = node->kind().toQualString();
  if (name.back() == '_') name.pop_back();  // its argument's, which nobody else looks at
  return names.count(name) != 0 || kElementwise.count(name) != 0;
}

}  // namespace

void write_in_place(const std::vector<jit::Node*>& candidates) {
  std::vector<jit::Node*> changing;
  for (jit::Node* node : candidates) {
    if (kElementwise.count(node->kind().toQualString()) == 0) continue;
    const jit::Value* input = node->inputs()[0];
    if (input->uses().size() == 1 && input->node()->owningBlock() == node->owningBlock() &&
        gives_new_memory(input->node())) {
      changing.push_back(node);
    }
  }
  for (jit::Node* node : changing) {
    const auto kind = c10::Symbol::fromQualString(std::string(node->kind().toQualString()) + "_");
    jit::Node* in_place = node->owningGraph()->create(kind, node->inputs(), 1);
    in_place->copyMetadata(node);
    in_place->output()->setType(node->output()->type());
    if (in_place->maybeOperator() == nullptr) {
      in_place->destroy();
      continue;
    }
    in_place->insertBefore(node);
    node->output()->replaceAllUsesWith(in_place->output());
    node->destroy();
  }
}

}  // namespace adamec::torchscript
