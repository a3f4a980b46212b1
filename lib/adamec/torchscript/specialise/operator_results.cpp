#include "adamec/torchscript/specialise/operator_results.h"

#include <algorithm>
#include <functional>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"

namespace adamec::torchscript {
namespace {

bool gives_numbers(const jit::Node* node) {
  return std::any_of(node->outputs().begin(), node->outputs().end(),
                     [](const jit::Value* output) { return !is_tensor(output); });
}

// The elements of the list that `value` is in the graph.
KnownValuePtr unpacked(jit::Value* value, const std::vector<at::Tensor>& tensors,
                       const Provenance& provenance, ResidualWriter& writer) {
  jit::Graph& graph = writer.graph();
  jit::Node* unpack = graph.insertNode(graph.createListUnpack(value, tensors.size()));
  KnownValues elements;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    elements.push_back(known_tensor(tensors[i], false));
    elements.back()->residual = unpack->outputs()[i];
    elements.back()->shape_from_data = provenance.from_data;
    elements.back()->from_state = provenance.from_state;
    note_tensor(unpack->outputs()[i], tensors[i]);
  }
  return known_container(KnownValue::Kind::kList, c10::ListType::ofTensors(), std::move(elements));
}

}  // namespace

KnownValues known_results(jit::Node* node, const jit::Stack& results, const Provenance& provenance,
                          ResidualWriter& writer, ShapeGuards& guards) {
  KnownValues outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    jit::Value* value = node->outputs()[i];
    const auto output = std::make_shared<KnownValue>();
    outputs.push_back(output);
    output->kind = KnownValue::Kind::kOpaque;
    output->value = results[i];
    output->residual = value;
    output->from_state = provenance.from_state;
    if (results[i].isTensor() && is_tensor(value)) {
      output->kind = KnownValue::Kind::kTensor;
      note_tensor(value, results[i].toTensor());
      if (provenance.from_data && provenance.guard.empty()) {
        output->shape_from_data = true;
      } else if (provenance.from_data) {
        guards.assume_shape(*output, provenance.from_state,
                            fmt::format("{}, result {}", provenance.guard, i));
      }
    } else if (results[i].isTensorList() && (!provenance.from_data || provenance.fixed_count)) {
      const auto tensors = results[i].toTensorVector();
      if (!provenance.place.empty()) {
        guards.note_answer(provenance.place, static_cast<std::int64_t>(tensors.size()));
        if (guards.varies(provenance.place)) continue;
      }
      outputs.back() = unpacked(value, tensors, provenance, writer);
    }
  }
  return outputs;
}

bool only_from_state(const jit::Node* node, const KnownValues& inputs) {
  const bool query = is_type_query(node) || is_shape_query(node);
  const std::function<bool(const KnownValuePtr&)> good = [&](const KnownValuePtr& known) {
    if (!known_from_state(*known)) return false;
    if (known->kind == KnownValue::Kind::kTensor && !known->constant && !query &&
        gives_numbers(node)) {
      return false;  // its content
    }
    return std::all_of(known->elements.begin(), known->elements.end(), good);
  };
  return std::all_of(inputs.begin(), inputs.end(), good) && !shape_depends_on_content(node, inputs);
}

}  // namespace adamec::torchscript
