#include "adamec/torchscript/specialise/shape_guards.h"

#include "adamec/base/error.h"
#include "adamec/torchscript/specialise/operator_kinds.h"

namespace adamec::torchscript {
namespace {

// Sizes first to last - 1 of a tensor.
struct SizeRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

// What aten::size or aten::len asks for; nothing: there is no such dimension.
std::optional<SizeRange> queried_sizes(const jit::Node* node, const KnownValues& inputs,
                                       std::int64_t rank) {
  if (node->kind() == c10::aten::size && inputs.size() == 1) return SizeRange{0, rank};
  std::int64_t dimension = node->kind() == c10::aten::size ? inputs[1]->value.toInt() : 0;
  if (dimension < 0) dimension += rank;
  if (dimension < 0 || dimension >= rank) return std::nullopt;
  return SizeRange{dimension, dimension + 1};
}

bool is_size_query(const jit::Node* node, const KnownValues& inputs) {
  if (node->kind() == c10::aten::len || node->kind() == c10::aten::dim) return true;
  return node->kind() == c10::aten::size &&
         (inputs.size() == 1 ||
          (inputs.size() == 2 && inputs[1]->kind == KnownValue::Kind::kStatic &&
           inputs[1]->value.isInt()));
}

}  // namespace

ShapeGuards::ShapeGuards(const Assumptions& assumptions, ResidualWriter& writer, bool open_sizes)
    : assumptions_(assumptions), writer_(writer), open_sizes_(open_sizes) {}

void ShapeGuards::number_nodes(jit::Block* block) {
  for (jit::Node* node : block->nodes()) {
    node_ids_.emplace(node, static_cast<int>(node_ids_.size()));
    for (jit::Block* inner : node->blocks()) number_nodes(inner);
  }
}

std::string ShapeGuards::step(const jit::Node* node) {
  const int id = node_ids_.at(node);
  return fmt::format("{}.{}", id, times_[id]++);
}

void ShapeGuards::assume_shape(KnownValue& tensor, bool from_state, const std::string& guard) {
  if (from_state && !varies(guard)) {
    tensor.residual = guarded(tensor, guard, nullptr);
  } else {
    tensor.shape_from_data = true;
    tensor.from_state = from_state;
  }
}

std::optional<KnownValues> ShapeGuards::answer_size_query(jit::Node* node,
                                                          const KnownValues& inputs) {
  if (!open_sizes_ || inputs.empty() || inputs[0]->kind != KnownValue::Kind::kTensor ||
      inputs[0]->constant || inputs[0]->shape_from_data || !is_size_query(node, inputs)) {
    return std::nullopt;
  }
  const KnownValuePtr& tensor = inputs[0];
  const at::IntArrayRef sizes = tensor->value.toTensor().sizes();
  const auto rank = static_cast<std::int64_t>(sizes.size());
  const std::string here = step(node);
  const std::string guard = fmt::format("the argument of {}, step {},", construct(node), here);
  if (varies(guard)) return std::nullopt;
  note_answer(here + ".rank", rank);
  if (varies(here + ".rank")) return std::nullopt;
  if (node->kind() == c10::aten::dim) {
    check_sizes(guard, tensor, {});
    return KnownValues{known_static(rank)};
  }
  const auto range = queried_sizes(node, inputs, rank);
  if (!range) return std::nullopt;  // the operator says what is wrong
  KnownValues result;
  std::set<std::size_t> known;
  for (std::int64_t i = range->first; i < range->last; ++i) {
    const std::string place = fmt::format("{}.{}", here, i);
    note_answer(place, sizes[i]);
    result.push_back(known_static(sizes[i]));
    if (!varies(place)) {
      known.insert(static_cast<std::size_t>(i));
      continue;
    }
    result.back()->kind = KnownValue::Kind::kOpaque;
    result.back()->from_state = true;
    result.back()->residual =
        writer_.graph().insert(c10::aten::size, {writer_.unchecked(tensor->residual), i});
  }
  check_sizes(guard, tensor, known);
  if (node->kind() == c10::aten::len || inputs.size() == 2) return result;
  return KnownValues{
      known_container(KnownValue::Kind::kList, c10::ListType::ofInts(), std::move(result))};
}

// From here on, whatever uses the tensor checks its rank and these sizes.
void ShapeGuards::check_sizes(const std::string& guard, const KnownValuePtr& tensor,
                              const std::set<std::size_t>& known) {
  const auto [checked, first] = checked_sizes_.try_emplace(tensor);
  const std::size_t before = checked->second.size();
  checked->second.insert(known.begin(), known.end());
  if (!first && checked->second.size() == before) return;
  tensor->residual = guarded(*tensor, guard, &checked->second);
}

// The tensor in the graph; raises an exception when its shape or type is not what it is now. With
// `known_sizes` only the rank and these sizes are looked at.
jit::Value* ShapeGuards::guarded(const KnownValue& known, const std::string& guard,
                                 const std::set<std::size_t>* known_sizes) {
  const at::Tensor tensor = known.value.toTensor();
  jit::Value* good = nullptr;
  const auto insert = [&](c10::Symbol kind, at::ArrayRef<jit::NamedValue> arguments) {
    jit::Value* result = writer_.graph().insert(kind, arguments);
    writer_.mark_portable(result->node());
    return result;
  };
  const auto require = [&](jit::Value* have, const jit::NamedValue& want) {
    jit::Value* same = insert(c10::aten::eq, {have, want});
    good = good == nullptr ? same : insert(c10::aten::__and__, {good, same});
  };
  jit::Value* value = known.residual;
  if (known_sizes == nullptr) {
    require(insert(c10::aten::size, {value}), tensor.sizes().vec());
    require(insert(c10::prim::dtype, {value}), static_cast<std::int64_t>(tensor.scalar_type()));
  } else {
    require(insert(c10::aten::dim, {value}), tensor.dim());
    for (const std::size_t i : *known_sizes) {
      require(insert(c10::aten::size, {value, static_cast<std::int64_t>(i)}),
              tensor.size(static_cast<std::int64_t>(i)));
    }
  }
  guards_.push_back(guard);
  return writer_.checked(
      value, good,
      fmt::format("{}{}{}[{}], for which the model was cut", guard, kGuardText,
                  c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), ",")),
      tensor);
}

}  // namespace adamec::torchscript
