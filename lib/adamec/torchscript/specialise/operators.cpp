// Which operators are folded, which are copied to the residual graph.
#include <algorithm>
#include <map>

#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/containers.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/operator_results.h"
#include "adamec/torchscript/specialise/partial_evaluator.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

// The inputs that are that very tensor: in-place operators return their argument. Nothing: none.
KnownValuePtr same_tensor(const c10::IValue& result, const KnownValues& inputs) {
  KnownValuePtr same;
  for (const KnownValuePtr& input : inputs) {
    if (result.isTensor() && input->value.isTensor() &&
        result.toTensor().is_same(input->value.toTensor())) {
      same = input;
    }
  }
  return same;
}

bool is_mutable(const jit::Node* node) {
  const auto* schema = node->maybeSchema();
  return schema != nullptr && schema->is_mutable();
}

// Whether one of the tensors has the memory of this one.
bool shares_memory(const at::Tensor& tensor, const std::vector<at::Tensor>& others) {
  return storage_of(tensor) != nullptr &&
         std::any_of(others.begin(), others.end(), [&](const at::Tensor& other) {
           return storage_of(other) == storage_of(tensor);
         });
}

}  // namespace

void PartialEvaluator::apply_operator(jit::Node* node) {
  const KnownValues inputs = known_all(node->inputs());
  if (const auto results = apply_container_operator(node, inputs, attributes_)) {
    return bind(node->outputs(), *results);
  }
  if (unpack_opaque(node, inputs)) return;
  if (const auto results = guards_.answer_size_query(node, inputs)) {
    return bind(node->outputs(), *results);
  }
  if (node->maybeOperator() == nullptr) {
    throw_unsupported(node, "an operator that cannot run on its own");
  }
  const bool independent =
      std::all_of(inputs.begin(), inputs.end(),
                  [](const KnownValuePtr& input) { return independent_of_inputs(*input); });
  const bool folded = is_known_query(node, inputs) || (independent && may_run_beforehand(node));
  bind(node->outputs(), folded ? fold(node, inputs) : emit(node, inputs));
}

bool PartialEvaluator::is_known_query(jit::Node* node, const KnownValues& inputs) const {
  const bool of_type = is_type_query(node);
  if (!of_type && !is_shape_query(node)) return false;
  for (const KnownValuePtr& input : inputs) {
    if (input->kind == KnownValue::Kind::kOpaque) return false;
    const bool of_shape =
        !of_type && node->kind() != c10::aten::__is__ && node->kind() != c10::aten::__isnot__;
    if (of_shape && input->kind == KnownValue::Kind::kTensor &&
        (input->shape_from_data || (guards_.open_sizes() && !input->constant))) {
      return false;
    }
  }
  return true;
}

// A list or tuple that depends on data: only its unpacking says how many elements it has.
bool PartialEvaluator::unpack_opaque(jit::Node* node, const KnownValues& inputs) {
  if (node->kind() != c10::prim::ListUnpack && node->kind() != c10::prim::TupleUnpack) return false;
  const KnownValuePtr& whole = inputs[0];
  const c10::IValue& value = whole->value;
  if (!value.isList() && !value.isTuple()) return false;
  const jit::Stack elements =
      value.isList() ? value.toListRef().vec() : value.toTupleRef().elements().vec();
  if (elements.size() != node->outputs().size()) {
    throw_unsupported(node, "it unpacks a list of a different length");
  }
  jit::Node* copy = writer_.append(node, {writer_.materialise(whole)});
  bind(node->outputs(),
       known_results(copy, elements, {.from_data = true, .from_state = whole->from_state}, writer_,
                     guards_));
  return true;
}

KnownValues PartialEvaluator::fold(jit::Node* node, const KnownValues& inputs) {
  attributes_.learn_writes(node, inputs);
  jit::Stack stack = concrete(inputs);
  const jit::Stack arguments = stack;
  run_operator(node, stack);
  note_folded_writes(node, inputs, arguments);
  KnownValues before;
  for (const KnownValuePtr& input : inputs) before.push_back(snapshot(input));
  KnownValues outputs;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    KnownValuePtr output = same_tensor(stack[i], inputs);
    if (output == nullptr) {
      output = known_from(stack[i], node->outputs()[i]->type(), true);
      writer_.set_recipe(output, node, before, i);
    }
    outputs.push_back(output);
  }
  return outputs;
}

// `arguments`: what the operator was given, as it has left it.
void PartialEvaluator::note_folded_writes(jit::Node* node, const KnownValues& inputs,
                                          const jit::Stack& arguments) {
  for_each_write(node, inputs, [&](const KnownValuePtr& input, bool content) {
    if (content || input->kind == KnownValue::Kind::kTensor) {
      std::vector<at::Tensor> written;
      collect_tensors({input}, written);
      for (const at::Tensor& tensor : written) writer_.note_write(node, tensor);
    } else if (input->is_container()) {
      const auto at = std::find(inputs.begin(), inputs.end(), input) - inputs.begin();
      const KnownValuePtr now = known_from(arguments[at], input->type, true);
      input->elements = now->elements;
      input->keys = now->keys;
    }
  });
}

KnownValues PartialEvaluator::emit(jit::Node* node, const KnownValues& inputs) {
  if (const KnownValuePtr constant = like(node, inputs)) return {constant};
  unlock_written(node, inputs);
  std::vector<jit::Value*> values;
  for (const KnownValuePtr& input : inputs) values.push_back(writer_.materialise(input));
  jit::Stack stack = concrete(inputs);
  run_operator(node, stack);
  if (stack.size() == 1 && stack[0].isTensor() && !inputs.empty() &&
      inputs[0]->kind == KnownValue::Kind::kTensor &&
      stack[0].toTensor().is_same(inputs[0]->value.toTensor()) && may_be_identity(node, inputs) &&
      !(guards_.open_sizes() && is_identity_by_size(node))) {
    return {inputs[0]};
  }
  jit::Node* copy = writer_.append(node, values);
  Provenance provenance;
  provenance.from_data = any_from_data(inputs) || shape_depends_on_content(node, inputs);
  provenance.from_state = only_from_state(node, inputs);
  provenance.fixed_count = gives_fixed_count(node, inputs);
  if (guards_.open_sizes()) {
    if (provenance.from_state) provenance.from_data = false;  // queries of its sizes are compared
    provenance.place = guards_.step(node);
  }
  KnownValues outputs = known_results(copy, stack, provenance, writer_, guards_);
  note_views(copy, outputs, inputs);
  return outputs;
}

// A node is a view when all its results are.
void PartialEvaluator::note_views(const jit::Node* copy, const KnownValues& results,
                                  const KnownValues& inputs) {
  std::vector<at::Tensor> given;
  std::vector<at::Tensor> taken;
  collect_tensors(results, given);
  collect_tensors(inputs, taken);
  if (!given.empty() && !is_mutable(copy) &&
      std::all_of(given.begin(), given.end(),
                  [&](const at::Tensor& result) { return shares_memory(result, taken); })) {
    writer_.mark_view(copy);
  }
  for (const at::Tensor& tensor : constant_tensors(inputs)) {
    if (shares_memory(tensor, given)) writer_.note_view_of(tensor);
  }
}

// zeros_like(x), x.new_full(...) and their kin depend on x's shape and type only. Nothing: the node
// is none of them, or that shape is not known.
KnownValuePtr PartialEvaluator::like(jit::Node* node, const KnownValues& inputs) {
  static const std::map<std::string, c10::Symbol> creators = {
      {"aten::zeros_like", c10::aten::zeros}, {"aten::new_zeros", c10::aten::zeros},
      {"aten::empty_like", c10::aten::zeros}, {"aten::new_empty", c10::aten::zeros},
      {"aten::ones_like", c10::aten::ones},   {"aten::new_ones", c10::aten::ones},
      {"aten::full_like", c10::aten::full},   {"aten::new_full", c10::aten::full}};
  const auto creator = creators.find(node->kind().toQualString());
  if (creator == creators.end() || inputs[0]->kind != KnownValue::Kind::kTensor ||
      inputs[0]->shape_from_data || any_from_data(inputs) ||
      (guards_.open_sizes() && !inputs[0]->constant) ||
      !inputs[0]->value.toTensor().is_contiguous()) {
    return nullptr;
  }
  const auto fill = node->maybeSchema()->argumentIndexWithName("fill_value");
  if (fill && !independent_of_inputs(*inputs[*fill])) return nullptr;
  jit::Stack stack = concrete(inputs);
  run_operator(node, stack);
  at::Tensor tensor = stack[0].toTensor();
  if (tensor.is_quantized() || !tensor.device().is_cpu()) return nullptr;
  if (creator->second == c10::aten::zeros) tensor.zero_();

  KnownValues sizes;
  for (const std::int64_t size : tensor.sizes()) sizes.push_back(known_static(size));
  KnownValues arguments = {
      known_container(KnownValue::Kind::kList, c10::ListType::ofInts(), std::move(sizes))};
  if (fill) arguments.push_back(inputs[*fill]);
  const KnownValuePtr none = known_static(c10::IValue());
  arguments.insert(arguments.end(), {known_static(static_cast<std::int64_t>(tensor.scalar_type())),
                                     none, none, none});
  jit::Node* call = program_->create(creator->second, 1);
  call->copyMetadata(node);
  const KnownValuePtr output = known_tensor(tensor, true);
  writer_.set_recipe(output, call, arguments, 0);
  return output;
}

// Before an operator writes input data into memory whose content was known so far.
void PartialEvaluator::unlock_written(jit::Node* node, const KnownValues& inputs) {
  attributes_.learn_writes(node, inputs);
  for_each_write(node, inputs, [&](const KnownValuePtr& input, bool) {
    if (input->is_container()) throw_unsupported(node, "it changes a list or dict of tensors");
    if (input->kind != KnownValue::Kind::kTensor || !input->constant) return;
    const at::Tensor tensor = input->value.toTensor();
    if (storage_of(tensor) == nullptr) {
      throw_unsupported(node, "it writes to a tensor without storage");
    }
    writer_.unlock(node, tensor);
  });
}

}  // namespace adamec::torchscript
