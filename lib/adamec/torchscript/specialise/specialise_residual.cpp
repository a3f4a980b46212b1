#include <algorithm>
#include <set>
#include <utility>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/node_visits.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/specialiser.h"

namespace adamec::torchscript {
namespace {

// A computed constant is stored, instead of being computed again by the atoms that use it, when it
// is no larger than this or than the weights it was made from.
constexpr std::uint64_t kSmallConstantBytes = 4096;

const void* storage_of(const at::Tensor& tensor) {
  return tensor.defined() && tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl()
                                                  : nullptr;
}

bool any_from_data(const std::vector<ItemPtr>& items) {
  return std::any_of(items.begin(), items.end(), [](const ItemPtr& item) {
    return item->kind == Item::Kind::kOpaque || item->shape_from_data ||
           any_from_data(item->elements);
  });
}

void collect_tensors(const std::vector<ItemPtr>& items, std::vector<at::Tensor>& tensors) {
  for (const ItemPtr& item : items) {
    if (item->value.isTensor()) tensors.push_back(item->value.toTensor());
    collect_tensors(item->elements, tensors);
  }
}

bool is_mutable(const jit::Node* node) {
  const auto* schema = node->maybeSchema();
  return schema != nullptr && schema->is_mutable();
}

}  // namespace

const Residual::Weight& Residual::weight_of(const jit::Value* value) const {
  // Weights are the graph's last inputs, in the same order.
  const std::size_t first = graph->inputs().size() - weights.size();
  return weights.at(value->offset() - first);
}

Residual::Weight& Residual::weight_of(const jit::Value* value) {
  return const_cast<Weight&>(std::as_const(*this).weight_of(value));
}

void Specialiser::note_tensor(jit::Value* value, const at::Tensor& tensor) {
  value->setType(tensor.defined() && tensor.layout() == at::kStrided
                     ? c10::TypePtr(c10::TensorType::create(tensor.detach()))
                     : c10::TypePtr(c10::TensorType::get()));
}

jit::Node* Specialiser::append(jit::Node* original, const std::vector<jit::Value*>& inputs) {
  jit::Node* node = residual_.graph->create(original->kind(), inputs, original->outputs().size());
  node->copyAttributes(*original);
  node->copyMetadata(original);
  for (std::size_t i = 0; i < node->outputs().size(); ++i) {
    node->outputs()[i]->setType(c10::unshapedType(original->outputs()[i]->type()));
  }
  return residual_.graph->insertNode(node);
}

Specialiser::Items Specialiser::wrap_outputs(jit::Node* copy, const jit::Stack& results,
                                             const Origin& origin) {
  Items outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    jit::Value* value = copy->outputs()[i];
    ItemPtr output = std::make_shared<Item>();
    output->kind = Item::Kind::kOpaque;
    output->value = results[i];
    output->residual = value;
    output->from_state = origin.from_state;
    if (results[i].isTensor() && value->type()->isSubtypeOf(*c10::TensorType::get())) {
      output->kind = Item::Kind::kTensor;
      note_tensor(value, results[i].toTensor());
      if (origin.from_data && origin.guard.empty()) {
        output->shape_from_data = true;
      } else if (origin.from_data) {
        settle_shape(output, origin.from_state, fmt::format("{}, result {}", origin.guard, i));
      }
    } else if (results[i].isTensorList() && (!origin.from_data || origin.fixed_count)) {
      const auto tensors = results[i].toTensorVector();
      if (!origin.place.empty()) {
        note_answer(origin.place, static_cast<std::int64_t>(tensors.size()));
        if (is_open(origin.place)) {
          outputs.push_back(std::move(output));
          continue;
        }
      }
      jit::Node* unpack =
          residual_.graph->insertNode(residual_.graph->createListUnpack(value, tensors.size()));
      Items elements;
      for (std::size_t k = 0; k < tensors.size(); ++k) {
        elements.push_back(tensor_item(tensors[k], false));
        elements.back()->residual = unpack->outputs()[k];
        elements.back()->shape_from_data = origin.from_data;
        elements.back()->from_state = origin.from_state;
        note_tensor(unpack->outputs()[k], tensors[k]);
      }
      output = container_item(Item::Kind::kList, c10::ListType::ofTensors(), std::move(elements));
    }
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Specialiser::Items Specialiser::emit(jit::Node* node, const Items& inputs) {
  if (apply_like(node, inputs)) return items(node->outputs());
  unlock_constants(node, inputs);
  std::vector<jit::Value*> values;
  for (const ItemPtr& input : inputs) values.push_back(materialise(input));
  std::vector<at::Tensor> tensors;
  collect_tensors(inputs, tensors);

  jit::Stack stack;
  for (const ItemPtr& input : inputs) stack.push_back(concrete(*input));
  run_operator(node, stack);

  if (stack.size() == 1 && stack[0].isTensor() && !inputs.empty() &&
      inputs[0]->kind == Item::Kind::kTensor &&
      stack[0].toTensor().is_same(inputs[0]->value.toTensor()) && may_be_identity(node, inputs) &&
      !(open_sizes_ && is_identity_by_size(node))) {
    return {inputs[0]};
  }
  jit::Node* copy = append(node, values);
  Origin origin;
  origin.from_data = any_from_data(inputs) || shape_depends_on_content(node, inputs);
  origin.from_state = only_from_state(node, inputs);
  origin.fixed_count = gives_fixed_count(node, inputs);
  if (open_sizes_) {
    if (origin.from_state) origin.from_data = false;  // queries of its sizes are compared
    origin.place = site(node);
  }
  Items outputs = wrap_outputs(copy, stack, origin);

  std::vector<at::Tensor> results;
  collect_tensors(outputs, results);
  const auto shares_memory = [&](const at::Tensor& result) {
    return std::any_of(tensors.begin(), tensors.end(), [&](const at::Tensor& tensor) {
      return storage_of(result) != nullptr && storage_of(tensor) == storage_of(result);
    });
  };
  if (!results.empty() && !is_mutable(node) &&
      std::all_of(results.begin(), results.end(), shares_memory)) {
    residual_.views.insert(copy);
  }
  return outputs;
}

// zeros_like(x), x.new_full(...) and their kin depend on x's shape and type only.
bool Specialiser::apply_like(jit::Node* node, const Items& inputs) {
  static const std::map<std::string, c10::Symbol> creators = {
      {"aten::zeros_like", c10::aten::zeros}, {"aten::new_zeros", c10::aten::zeros},
      {"aten::empty_like", c10::aten::zeros}, {"aten::new_empty", c10::aten::zeros},
      {"aten::ones_like", c10::aten::ones},   {"aten::new_ones", c10::aten::ones},
      {"aten::full_like", c10::aten::full},   {"aten::new_full", c10::aten::full}};
  const auto creator = creators.find(node->kind().toQualString());
  if (creator == creators.end() || inputs[0]->kind != Item::Kind::kTensor ||
      inputs[0]->shape_from_data || any_from_data(inputs) ||
      (open_sizes_ && !inputs[0]->constant) || !inputs[0]->value.toTensor().is_contiguous()) {
    return false;
  }
  const auto* schema = node->maybeSchema();
  const auto fill = schema->argumentIndexWithName("fill_value");
  if (fill && !independent_of_inputs(*inputs[*fill])) return false;
  jit::Stack stack;
  for (const ItemPtr& input : inputs) stack.push_back(concrete(*input));
  run_operator(node, stack);
  at::Tensor tensor = stack[0].toTensor();
  if (tensor.is_quantized() || !tensor.device().is_cpu()) return false;
  if (creator->second == c10::aten::zeros) tensor.zero_();

  Items sizes;
  for (const std::int64_t size : tensor.sizes()) sizes.push_back(static_item(size));
  Items arguments = {container_item(Item::Kind::kList, c10::ListType::ofInts(), sizes)};
  if (fill) arguments.push_back(inputs[*fill]);
  const ItemPtr none = static_item(c10::IValue());
  arguments.insert(arguments.end(), {static_item(static_cast<std::int64_t>(tensor.scalar_type())),
                                     none, none, none});
  jit::Node* call = program_->create(creator->second, 1);
  call->copyMetadata(node);
  const ItemPtr output = tensor_item(tensor, true);
  output->recipe = std::make_shared<Recipe>(Recipe{call, std::move(arguments), 0});
  computed_constants_.push_back(output);
  bind(node->outputs(), {output});
  return true;
}

// Before an operator writes input data into memory whose content was known so far, that memory
// becomes part of the residual graph: its base and all views of it.
void Specialiser::unlock_constants(jit::Node* node, const Items& inputs) {
  notice_writes_to_attributes(node, inputs);
  const auto* schema = node->maybeSchema();
  for (std::size_t i = 0; schema != nullptr && i < inputs.size(); ++i) {
    if (i >= schema->arguments().size()) break;  // variadic
    const auto* alias = schema->arguments()[i].alias_info();
    if (alias == nullptr || !alias->isWrite()) continue;
    if (inputs[i]->is_container()) unsupported(node, "it changes a list or dict of tensors");
    if (inputs[i]->kind != Item::Kind::kTensor || !inputs[i]->constant) continue;
    const void* storage = storage_of(inputs[i]->value.toTensor());
    if (storage == nullptr) unsupported(node, "it writes to a tensor without storage");
    for (const auto& candidate : computed_constants_) {
      const ItemPtr constant = candidate.lock();
      if (!constant || !constant->constant || storage_of(constant->value.toTensor()) != storage) {
        continue;
      }
      std::vector<at::Tensor> sources;
      collect_tensors(constant->recipe->inputs, sources);
      const bool is_view = std::any_of(sources.begin(), sources.end(), [&](const at::Tensor& t) {
        return storage_of(t) == storage;
      });
      if (!is_view && written_storages_.count(storage) != 0) {
        jit::Value* content = add_weight("constant", constant->value.toTensor().clone());
        constant->residual = residual_.graph->insert(c10::aten::clone, {content});
      } else {
        std::vector<jit::Value*> values;
        for (const ItemPtr& input : constant->recipe->inputs) values.push_back(materialise(input));
        constant->residual =
            append(constant->recipe->node, values)->outputs()[constant->recipe->output];
      }
      note_tensor(constant->residual, constant->value.toTensor());
      constant->constant = false;
    }
  }
}

jit::Value* Specialiser::materialise(const ItemPtr& item) {
  if (item->is_container()) return append_list(item);
  if (item->residual != nullptr) return item->residual;
  if (item->kind == Item::Kind::kTensor && item->value.toTensor().defined()) {
    return item->residual = materialise_constant(item);
  }
  if (!item->value.isObject()) {  // packed weights are weights
    if (const auto constant = jit::tryInsertConstant(*residual_.graph, item->value)) {
      return item->residual = *constant;
    }
  }
  return item->residual = add_weight(item->name, item->value);
}

jit::Value* Specialiser::append_list(const ItemPtr& item) {
  if (item->kind == Item::Kind::kObject) {
    throw Unsupported("what depends on data uses a " + item->type->repr_str(), /*state=*/false);
  }
  std::vector<jit::Value*> values;
  for (std::size_t i = 0; i < item->elements.size(); ++i) {
    if (item->kind == Item::Kind::kDict) {
      values.push_back(jit::insertConstant(*residual_.graph, item->keys[i]));
    }
    values.push_back(materialise(item->elements[i]));
  }
  const auto kind = item->kind == Item::Kind::kList    ? c10::prim::ListConstruct
                    : item->kind == Item::Kind::kTuple ? c10::prim::TupleConstruct
                                                       : c10::prim::DictConstruct;
  jit::Node* node = residual_.graph->create(kind, values, 1);
  node->output()->setType(c10::unshapedType(item->type));
  return residual_.graph->insertNode(node)->output();
}

std::uint64_t Specialiser::attribute_bytes(const ItemPtr& item) const {
  std::uint64_t bytes = 0;
  if (item->kind == Item::Kind::kTensor) {
    if (item->recipe == nullptr) return item->value.toTensor().nbytes();
    for (const ItemPtr& input : item->recipe->inputs) bytes += attribute_bytes(input);
  }
  for (const ItemPtr& element : item->elements) bytes += attribute_bytes(element);
  return bytes;
}

jit::Value* Specialiser::materialise_constant(const ItemPtr& item) {
  const at::Tensor tensor = item->value.toTensor();
  if (item->recipe == nullptr) {
    jit::Value* weight = add_weight(item->name.empty() ? "constant" : item->name, tensor.detach());
    residual_.weights.back().requires_grad = tensor.requires_grad();
    return weight;
  }
  const void* storage = storage_of(tensor);
  const bool repeatable = written_storages_.count(storage) == 0;
  const auto attribute = attribute_storages_.find(storage);
  // The whole of a weight seen another way (a transpose): the weight itself is what is stored.
  const bool whole_weight =
      attribute != attribute_storages_.end() && tensor.nbytes() >= attribute->second;
  const bool small = tensor.nbytes() <= std::max(kSmallConstantBytes, attribute_bytes(item));
  if (repeatable && (whole_weight || !small)) return emit_recipe(item);
  jit::Value* weight = add_weight("constant", tensor.detach().clone());
  residual_.weights.back().requires_grad = tensor.requires_grad();
  return weight;
}

jit::Value* Specialiser::emit_recipe(const ItemPtr& item) {
  std::vector<jit::Value*> values;
  for (const ItemPtr& input : item->recipe->inputs) values.push_back(materialise(input));
  jit::Node* node = append(item->recipe->node, values);
  residual_.portable.insert(node);
  for (jit::Value* output : node->outputs()) {
    if (output->type()->kind() == c10::TypeKind::ListType) {
      unsupported(item->recipe->node, "a large constant list of tensors");
    }
  }
  jit::Value* value = node->outputs()[item->recipe->output];
  note_tensor(value, item->value.toTensor());
  return value;
}

jit::Value* Specialiser::add_weight(const std::string& name, const c10::IValue& content) {
  jit::Value* value = residual_.graph->addInput();
  if (content.isTensor()) {
    note_tensor(value, content.toTensor());
  } else {
    value->setType(content.type());
  }
  residual_.weights.push_back({value, name.empty() ? "constant" : name, content});
  return value;
}

void Specialiser::finish(const ItemPtr& output) {
  const std::function<void(const ItemPtr&)> register_tensors = [&](const ItemPtr& part) {
    if (part->kind == Item::Kind::kObject) {
      throw Unsupported("the model returns a " + part->type->repr_str(), /*state=*/false);
    }
    const bool any_number = part->value.isInt() || part->value.isDouble() || part->value.isBool();
    if (part->kind == Item::Kind::kOpaque && any_number) {
      jit::Value* tensor =
          boxed(part->residual);  // the number itself may be returned or kept again
      const at::ScalarType dtype = part->value.isInt()    ? at::kLong
                                   : part->value.isBool() ? at::kBool
                                                          : at::kDouble;
      note_tensor(tensor, at::scalar_tensor(part->value.toScalar(), dtype));
      residual_.graph->registerOutput(tensor);
    } else if (part->kind == Item::Kind::kOpaque) {
      throw Unsupported(
          "the model returns a " + part->value.type()->repr_str() + " that depends on data",
          /*state=*/false);
    }
    if (part->kind == Item::Kind::kTensor) {
      if (part->constant && part->recipe == nullptr) {
        materialise(part);
      } else if (part->constant) {
        part->residual = add_weight("constant", part->value.toTensor().detach().clone());
      } else {
        residual_.graph->registerOutput(unguarded(part->residual));
      }
    }
    for (const ItemPtr& element : part->elements) register_tensors(element);
  };
  register_tensors(output);
  residual_.output = output;
  check_unchanged();
  register_states();
  jit::RemoveTensorMutation(residual_.graph);
  jit::EliminateDeadCode(residual_.graph);
  for (jit::Node* node : residual_.graph->nodes()) {
    for (jit::Value* value : node->outputs()) {
      if (value->type()->kind() == c10::TypeKind::TensorType && !node->inputs().empty() &&
          tensor_info(value).dtype == c10::ScalarType::Undefined && node->kind().is_aten()) {
        value->setType(node->inputs()[0]->type());  // what was in place keeps shape and type
      }
    }
  }
}

}  // namespace adamec::torchscript
