#include "adamec/torchscript/specialise/residual_writer.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

bool is_any_number(const c10::IValue& value) {
  return value.isInt() || value.isDouble() || value.isBool();
}

// In-place operators that have become functional lost the type: it is their argument's.
void note_types_of_in_place(jit::Graph& graph) {
  for (jit::Node* node : graph.nodes()) {
    for (jit::Value* value : node->outputs()) {
      if (value->type()->kind() == c10::TypeKind::TensorType && !node->inputs().empty() &&
          tensor_info(value).dtype == c10::ScalarType::Undefined && node->kind().is_aten()) {
        value->setType(node->inputs()[0]->type());
      }
    }
  }
}

}  // namespace

const Residual::Weight& Residual::weight_of(const jit::Value* value) const {
  // Weights are the graph's last inputs, in the same order.
  const std::size_t first = graph->inputs().size() - weights.size();
  const Weight& weight = weights.at(value->offset() - first);
  assert(weight.value == value);
  return weight;
}

Residual::Weight& Residual::weight_of(const jit::Value* value) {
  return const_cast<Weight&>(std::as_const(*this).weight_of(value));
}

void note_tensor(jit::Value* value, const at::Tensor& tensor) {
  value->setType(tensor.defined() && tensor.layout() == at::kStrided
                     ? c10::TypePtr(c10::TensorType::create(tensor.detach()))
                     : c10::TypePtr(c10::TensorType::get()));
}

void collect_tensors(const KnownValues& all, std::vector<at::Tensor>& tensors) {
  for (const KnownValuePtr& known : all) {
    if (known->value.isTensor()) tensors.push_back(known->value.toTensor());
    collect_tensors(known->elements, tensors);
  }
}

std::vector<at::Tensor> constant_tensors(const KnownValues& all) {
  std::vector<at::Tensor> tensors;
  for (const KnownValuePtr& known : all) {
    if (known->kind == KnownValue::Kind::kTensor && known->constant) {
      tensors.push_back(known->value.toTensor());
    }
    const std::vector<at::Tensor> inner = constant_tensors(known->elements);
    tensors.insert(tensors.end(), inner.begin(), inner.end());
  }
  return tensors;
}

at::Tensor number_tensor(const c10::IValue& number) {
  if (number.isBool()) return at::scalar_tensor(number.toBool(), at::kBool);
  if (number.isInt()) return at::scalar_tensor(number.toInt(), at::kLong);
  return at::scalar_tensor(number.toDouble(), at::kDouble);
}

ResidualWriter::ResidualWriter(const ModelAttributes& attributes) : attributes_(attributes) {
  residual_.graph = std::make_shared<jit::Graph>();
}

jit::Value* ResidualWriter::add_input(const at::Tensor& example) {
  assert(residual_.states.empty() && residual_.weights.empty());
  jit::Value* value = residual_.graph->addInput();
  note_tensor(value, example);
  residual_.inputs.push_back(value);
  return value;
}

jit::Value* ResidualWriter::add_state(const std::string& name, const at::Tensor& initial) {
  assert(residual_.weights.empty());
  jit::Value* value = residual_.graph->addInput();
  note_tensor(value, initial);
  residual_.states.push_back({name, value, initial, 0});
  return value;
}

jit::Value* ResidualWriter::add_weight(const std::string& name, const c10::IValue& content,
                                       bool requires_grad) {
  jit::Value* value = residual_.graph->addInput();
  if (content.isTensor()) {
    note_tensor(value, content.toTensor());
  } else {
    value->setType(content.type());
  }
  residual_.weights.push_back({value, name.empty() ? "constant" : name, content, requires_grad});
  return value;
}

void ResidualWriter::set_next_state(std::size_t state, jit::Value* next) {
  residual_.states.at(state).next = residual_.graph->registerOutput(unchecked(next));
}

jit::Node* ResidualWriter::append(jit::Node* original, const std::vector<jit::Value*>& inputs) {
  jit::Node* node = residual_.graph->create(original->kind(), inputs, original->outputs().size());
  node->copyAttributes(*original);
  node->copyMetadata(original);
  for (std::size_t i = 0; i < node->outputs().size(); ++i) {
    node->outputs()[i]->setType(c10::unshapedType(original->outputs()[i]->type()));
  }
  return residual_.graph->insertNode(node);
}

jit::Value* ResidualWriter::boxed(jit::Value* number) {
  jit::Node* node = residual_.graph->create(c10::prim::NumToTensor, {number}, 1);
  node->output()->setType(c10::TensorType::get());
  return residual_.graph->insertNode(node)->output();
}

jit::Value* ResidualWriter::unboxed(jit::Value* tensor, const c10::TypePtr& type) {
  const c10::Symbol kind = type->kind() == c10::TypeKind::IntType     ? c10::aten::Int
                           : type->kind() == c10::TypeKind::FloatType ? c10::aten::Float
                                                                      : c10::aten::Bool;
  return residual_.graph->insert(kind, {tensor});
}

jit::Value* ResidualWriter::checked(jit::Value* value, jit::Value* good, const std::string& text,
                                    const at::Tensor& example) {
  jit::Graph& graph = *residual_.graph;
  jit::Node* check = graph.insertNode(graph.create(c10::prim::If, {good}, 1));
  check->addBlock()->registerOutput(value);
  jit::Block* bad = check->addBlock();
  {
    const jit::WithInsertPoint inside(bad->return_node());
    jit::Value* message = graph.insertConstant(text);
    jit::Value* type = graph.insertConstant(std::string("builtins.RuntimeError"));
    graph.insertNode(graph.create(c10::prim::RaiseException, {message, type}, 0));
    bad->registerOutput(value);
  }
  mark_portable(check);
  note_tensor(check->output(), example);
  unchecked_[check->output()] = unchecked(value);
  return check->output();
}

jit::Value* ResidualWriter::unchecked(jit::Value* value) const {
  const auto found = unchecked_.find(value);
  return found == unchecked_.end() ? value : found->second;
}

void ResidualWriter::add_outputs(const KnownValuePtr& part) {
  if (part->kind == KnownValue::Kind::kObject) {
    throw Unsupported("the model returns a " + part->type->repr_str(), /*state=*/false);
  }
  if (part->kind == KnownValue::Kind::kOpaque) {
    if (!is_any_number(part->value)) {
      throw Unsupported(
          "the model returns a " + part->value.type()->repr_str() + " that depends on data",
          /*state=*/false);
    }
    jit::Value* tensor = boxed(part->residual);  // the number itself may be returned or kept again
    note_tensor(tensor, number_tensor(part->value));
    residual_.graph->registerOutput(tensor);
  } else if (part->kind == KnownValue::Kind::kTensor && !part->constant) {
    residual_.graph->registerOutput(unchecked(part->residual));
  } else if (part->kind == KnownValue::Kind::kTensor && !part->is_computed()) {
    materialise(part);
  } else if (part->kind == KnownValue::Kind::kTensor) {
    part->residual = add_weight("constant", part->value.toTensor().detach().clone());
  }
  for (const KnownValuePtr& element : part->elements) add_outputs(element);
}

void ResidualWriter::set_result(const KnownValuePtr& result) {
  add_outputs(result);
  residual_.output = result;
}

Residual ResidualWriter::finish() {
  jit::RemoveTensorMutation(residual_.graph);
  jit::EliminateDeadCode(residual_.graph);
  note_types_of_in_place(*residual_.graph);
  return std::exchange(residual_, Residual());
}

}  // namespace adamec::torchscript
