// How constants enter the residual graph.
#include <algorithm>

#include "adamec/base/error.h"
#include "adamec/torchscript/specialise/residual_writer.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

// A computed constant is stored, instead of being computed again by the atoms that use it, when it
// is no larger than this or than the weights it was made from.
constexpr std::uint64_t kSmallConstantBytes = 4096;

// Of what the model itself stores for it.
std::uint64_t attribute_bytes(const KnownValue& known) {
  std::uint64_t bytes = 0;
  if (known.kind == KnownValue::Kind::kTensor) {
    if (!known.is_computed()) return known.value.toTensor().nbytes();
    for (const KnownValuePtr& input : known.recipe->inputs) bytes += attribute_bytes(*input);
  }
  for (const KnownValuePtr& element : known.elements) bytes += attribute_bytes(*element);
  return bytes;
}

// Later writes do not reach the copy. It has the tensor's strides, as the model's tensors have.
at::Tensor strided_copy(const at::Tensor& tensor) {
  if (storage_of(tensor) == nullptr || tensor.is_quantized() ||
      tensor.is_non_overlapping_and_dense()) {
    return tensor.detach().clone();
  }
  const auto bytes = static_cast<std::int64_t>(tensor.storage().nbytes());
  const auto elements = bytes / static_cast<std::int64_t>(tensor.element_size());
  const at::Tensor memory = tensor.detach().as_strided({elements}, {1}, 0).clone();
  return memory.as_strided(tensor.sizes(), tensor.strides(), tensor.storage_offset());
}

// Whether it is a view of memory that its inputs have, too.
bool is_view(const KnownValue& constant) {
  std::vector<at::Tensor> sources;
  collect_tensors(constant.recipe->inputs, sources);
  const void* storage = storage_of(constant.value.toTensor());
  return std::any_of(sources.begin(), sources.end(),
                     [&](const at::Tensor& source) { return storage_of(source) == storage; });
}

// Whether it is a constant that holds what it held at that time.
bool unchanged_since(const KnownValue& known, std::uint64_t time, const MemoryLog& written) {
  if (known.kind == KnownValue::Kind::kTensor &&
      (!known.constant || written.noted_since(known.value.toTensor(), time))) {
    return false;
  }
  return std::all_of(
      known.elements.begin(), known.elements.end(),
      [&](const KnownValuePtr& element) { return unchanged_since(*element, time, written); });
}

}  // namespace

void ResidualWriter::set_recipe(const KnownValuePtr& constant, jit::Node* node,
                                const KnownValues& inputs, std::size_t output) {
  const auto set = [&](const KnownValuePtr& tensor, std::optional<Recipe::Element> element) {
    if (tensor->kind != KnownValue::Kind::kTensor) return;
    tensor->recipe =
        std::make_shared<Recipe>(Recipe{node, inputs, output, written_.now(), element});
    computed_.push_back(tensor);
  };
  set(constant, std::nullopt);
  for (std::size_t i = 0; i < constant->elements.size(); ++i) {
    set(constant->elements[i], Recipe::Element{i, constant->elements.size()});
  }
}

jit::Value* ResidualWriter::materialise(const KnownValuePtr& known) {
  if (known->is_container()) return append_container(*known);
  const bool tensor = known->kind == KnownValue::Kind::kTensor && known->value.toTensor().defined();
  const bool outdated = tensor && known->constant &&
                        written_.noted_since(known->value.toTensor(), known->residual_time);
  if (known->residual != nullptr && !outdated) return known->residual;
  known->residual_time = written_.now();
  if (tensor) return known->residual = materialise_constant(*known);
  if (!known->value.isObject()) {  // packed weights are weights
    if (const auto constant = jit::tryInsertConstant(*residual_.graph, known->value)) {
      return known->residual = *constant;
    }
  }
  return known->residual = add_weight(known->name, known->value);
}

jit::Value* ResidualWriter::append_container(const KnownValue& container) {
  if (container.kind == KnownValue::Kind::kObject) {
    throw Unsupported("what depends on data uses a " + container.type->repr_str(),
                      /*state=*/false);
  }
  std::vector<jit::Value*> values;
  for (std::size_t i = 0; i < container.elements.size(); ++i) {
    if (container.kind == KnownValue::Kind::kDict) {
      values.push_back(jit::insertConstant(*residual_.graph, container.keys[i]));
    }
    values.push_back(materialise(container.elements[i]));
  }
  const auto kind = container.kind == KnownValue::Kind::kList    ? c10::prim::ListConstruct
                    : container.kind == KnownValue::Kind::kTuple ? c10::prim::TupleConstruct
                                                                 : c10::prim::DictConstruct;
  jit::Node* node = residual_.graph->create(kind, values, 1);
  node->output()->setType(c10::unshapedType(container.type));
  return residual_.graph->insertNode(node)->output();
}

// Its recipe gives what it holds now: nothing was written to it, nor to what it was made from
// since.
bool ResidualWriter::can_be_computed_again(const KnownValue& constant) const {
  const auto& inputs = constant.recipe->inputs;
  return !written_.noted(constant.value.toTensor()) &&
         std::all_of(inputs.begin(), inputs.end(), [&](const KnownValuePtr& input) {
           return unchanged_since(*input, constant.recipe->time, written_);
         });
}

jit::Value* ResidualWriter::materialise_constant(const KnownValue& constant) {
  const at::Tensor tensor = constant.value.toTensor();
  const auto owned = attributes_.owned_bytes(tensor);
  if (!constant.is_computed()) {
    return add_weight(constant.name, owned ? tensor.detach() : strided_copy(tensor),
                      tensor.requires_grad());
  }
  // The whole of a weight seen another way (a transpose): the weight itself is what is stored.
  const bool whole_weight = owned && tensor.nbytes() >= *owned;
  const bool small = tensor.nbytes() <= std::max(kSmallConstantBytes, attribute_bytes(constant));
  if ((whole_weight || !small) && can_be_computed_again(constant))
    return append_recipe(constant, true);
  return add_weight("constant", tensor.detach().clone(), tensor.requires_grad());
}

jit::Value* ResidualWriter::append_recipe(const KnownValue& constant, bool portable) {
  const Recipe& recipe = *constant.recipe;
  std::vector<jit::Value*> values;
  for (const KnownValuePtr& input : recipe.inputs) values.push_back(materialise(input));
  jit::Node* node = append(recipe.node, values);
  if (portable) mark_portable(node);
  for (jit::Value* output : node->outputs()) {
    if (portable && output->type()->kind() == c10::TypeKind::ListType) {
      throw_unsupported(recipe.node, "a large constant list of tensors");
    }
  }
  jit::Value* value = node->outputs()[recipe.output];
  if (recipe.element) {
    jit::Graph& graph = *residual_.graph;
    value = graph.insertNode(graph.createListUnpack(value, recipe.element->count))
                ->outputs()[recipe.element->index];
  }
  note_tensor(value, constant.value.toTensor());
  return value;
}

// Constants are copied into the graph: the view would not see what is written.
void ResidualWriter::note_write(const jit::Node* node, const at::Tensor& constant) {
  if (viewed_.noted(constant)) {
    throw_unsupported(node,
                      "it writes to a constant whose memory a value that depends on data shares");
  }
  written_.note(constant);
}

void ResidualWriter::unlock(const jit::Node* node, const at::Tensor& constant) {
  const void* storage = storage_of(constant);
  for (const auto& candidate : computed_) {
    const KnownValuePtr other = candidate.lock();
    if (other && other->constant && storage_of(other->value.toTensor()) == storage) {
      unlock_one(*other);
    }
  }
  note_write(node, constant);  // what was made from it cannot be made again
}

void ResidualWriter::unlock_one(KnownValue& constant) {
  const at::Tensor tensor = constant.value.toTensor();
  if (is_view(constant) || can_be_computed_again(constant)) {
    constant.residual = append_recipe(constant, /*portable=*/false);
  } else {
    jit::Value* content = add_weight("constant", tensor.clone());
    constant.residual = residual_.graph->insert(c10::aten::clone, {content});
    note_tensor(constant.residual, tensor);
  }
  constant.constant = false;
}

}  // namespace adamec::torchscript
