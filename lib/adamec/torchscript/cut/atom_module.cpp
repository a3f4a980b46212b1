#include "adamec/torchscript/cut/atom_module.h"

#include <cctype>
#include <set>

#include "adamec/torchscript/run/node_visits.h"

namespace adamec::torchscript {
namespace {

// A valid attribute name from a weight's path ("layer1.0.conv1.weight" -> "weight"), not yet taken.
std::string attribute_name(const std::string& path, std::set<std::string>& taken) {
  std::string stem;
  for (const char c : path.substr(path.rfind('.') + 1)) {
    stem += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  if (stem.empty() || std::isdigit(static_cast<unsigned char>(stem[0])) != 0) stem = "w" + stem;
  if (stem == "forward" || stem == "training") stem = "w_" + stem;
  std::string name = stem;
  for (int i = 2; !taken.insert(name).second; ++i) name = stem + "_" + std::to_string(i);
  return name;
}

// Only the bytes the tensor shows are stored, not all of the memory it is a view of.
at::Tensor stored(const at::Tensor& tensor, bool requires_grad) {
  const bool part = tensor.has_storage() && tensor.storage().nbytes() > tensor.nbytes();
  const at::Tensor content = part ? tensor.detach().clone() : tensor.detach();
  return requires_grad ? content.set_requires_grad(true) : content;
}

// Shapes and source positions of the example run are not part of an atom.
void strip(jit::Node* node) {
  node->setSourceRange(jit::SourceRange());
  for (jit::Value* output : node->outputs()) {
    output->setType(c10::unshapedType(output->type()));
  }
  for (jit::Block* block : node->blocks()) {
    for (jit::Node* inner : block->nodes()) strip(inner);
  }
}

jit::Module empty_module() { return jit::Module(c10::QualifiedName("__torch__.adamec.Atom")); }

void add_forward(const jit::Module& module, const std::shared_ptr<jit::Graph>& graph) {
  auto* forward = module._ivalue()->compilation_unit()->create_function(
      c10::QualifiedName(*module.type()->name(), "forward"), graph);
  module.type()->addMethod(forward);
}

void set_output(jit::Graph& graph, const std::vector<jit::Value*>& outputs) {
  graph.registerOutput(
      outputs.size() == 1 ? outputs[0] : graph.insertNode(graph.createTuple(outputs))->output());
}

}  // namespace

std::string subgraph_record(const Residual& residual, const Subgraph& subgraph) {
  jit::Module module = empty_module();
  const auto graph = std::make_shared<jit::Graph>();
  jit::Value* self = graph->addInput("self")->setType(module._ivalue()->type());
  std::unordered_map<jit::Value*, jit::Value*> values;
  for (jit::Value* input : subgraph.inputs) values[input] = graph->addInput();

  std::set<std::string> names;
  const auto read_weight = [&](jit::Value* value) {
    // All other inputs of the residual graph are tensors of the model's input, and the subgraph's.
    if (values.count(value) != 0 || value->node() != residual.graph->param_node()) return;
    const Residual::Weight& weight = residual.weight_of(value);
    const std::string name = attribute_name(weight.name, names);
    const c10::IValue& content = weight.content;
    if (content.isTensor()) {
      const bool gradients = residual.weights_require_grad && weight.requires_grad;
      module.register_buffer(name, stored(content.toTensor(), gradients));
    } else {
      module.register_attribute(name, content.type(), content);
    }
    values[value] = graph->insertGetAttr(self, name);
  };
  for (jit::Node* node : subgraph.nodes) for_each_use(node, read_weight);
  for (jit::Node* node : subgraph.nodes) {
    jit::Node* copy = graph->insertNode(
        graph->createClone(node, [&](jit::Value* value) { return values.at(value); }));
    strip(copy);
    for (std::size_t i = 0; i < node->outputs().size(); ++i) {
      values[node->outputs()[i]] = copy->outputs()[i];
    }
  }
  std::vector<jit::Value*> outputs;
  for (jit::Value* output : subgraph.outputs) outputs.push_back(values.at(output));
  set_output(*graph, outputs);
  add_forward(module, graph);
  return module_record(module);
}

std::string weight_record(const at::Tensor& tensor, bool requires_grad) {
  jit::Module module = empty_module();
  module.register_buffer("weight", stored(tensor, requires_grad));
  const auto graph = std::make_shared<jit::Graph>();
  jit::Value* self = graph->addInput("self")->setType(module._ivalue()->type());
  graph->registerOutput(graph->insertGetAttr(self, "weight"));
  add_forward(module, graph);
  return module_record(module);
}

std::string module_record(const jit::Module& module) {
  std::string bytes;
  std::size_t expected = 8192;
  for (const at::Tensor& tensor : module.buffers()) expected += tensor.nbytes() + 256;
  bytes.reserve(expected);
  jit::ExportModule(module, [&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  return bytes;
}

}  // namespace adamec::torchscript
