#include "adamec/torchscript/specialise/operator_kinds.h"

#include <algorithm>
#include <set>
#include <string>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/compat.h"
#include "adamec/torchscript/run/node_visits.h"

namespace adamec::torchscript {
namespace {

bool is_scalar(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::BoolType:
    case c10::TypeKind::NumberType:
    case c10::TypeKind::StringType:
    case c10::TypeKind::NoneType:
    case c10::TypeKind::DeviceObjType:
      return true;
    case c10::TypeKind::ListType:
      return is_scalar(type->containedTypes().at(0));
    default:
      return false;
  }
}

}  // namespace

std::string construct(const jit::Node* node) {
  std::string text = node->kind().toQualString();
  if (const auto place = node->sourceRange().file_line_col()) {
    text += fmt::format(" at {}:{}", std::get<0>(*place), std::get<1>(*place));
  }
  return text;
}

bool is_number(const c10::TypePtr& type) {
  return type->kind() == c10::TypeKind::IntType || type->kind() == c10::TypeKind::FloatType ||
         type->kind() == c10::TypeKind::BoolType;
}

bool is_scalar_code(jit::Node* node) {
  const bool gives_others = any_node(node, [](jit::Node* inner) {
    const auto outputs = inner->outputs();
    return inner->kind() == c10::prim::Loop || is_random(inner) ||
           !std::all_of(outputs.begin(), outputs.end(),
                        [](const jit::Value* output) { return is_scalar(output->type()); });
  });
  return !gives_others && !node->outputs().empty();
}

bool is_random(const jit::Node* node) {
  if (node->isNondeterministic()) return true;
  const auto* schema = node->maybeSchema();
  // LibTorch's own list leaves out uniform_() and its kin; all of them take a generator.
  return schema != nullptr && schema->argumentIndexWithName("generator").has_value();
}

bool may_run_beforehand(const jit::Node* node) {
  if (is_random(node)) return false;
  // Of custom operators only what they declare is known.
  const bool custom = !node->kind().is_aten() && !node->kind().is_prim();
  return !custom || !node->hasSideEffects();
}

bool is_type_query(const jit::Node* node) {
  static const std::set<std::string> names = {"prim::dtype",        "prim::device",
                                              "prim::layout",       "prim::is_cuda",
                                              "prim::is_cpu",       "prim::is_quantized",
                                              "prim::is_sparse",    "prim::is_mkldnn",
                                              "prim::is_meta",      "aten::is_floating_point",
                                              "aten::is_complex",   "aten::is_signed",
                                              "prim::isinstance",   "prim::requires_grad",
                                              "aten::element_size", "aten::get_device",
                                              "prim::is_nested",    "prim::is_mps",
                                              "prim::is_xpu",       "prim::is_vulkan"};
  return names.count(node->kind().toQualString()) != 0;
}

bool is_shape_query(const jit::Node* node) {
  static const std::set<std::string> names = {
      "aten::size",         "aten::dim",         "aten::numel",          "aten::len",
      "aten::stride",       "aten::__is__",      "aten::__isnot__",      "aten::is_contiguous",
      "aten::sym_size",     "aten::sym_numel",   "aten::storage_offset", "aten::_shape_as_tensor",
      "aten::is_same_size", "aten::result_type", "aten::can_cast"};
  return names.count(node->kind().toQualString()) != 0;
}

bool may_be_identity(const jit::Node* node, const KnownValues& inputs) {
  static const std::set<std::string> names = {
      "aten::dropout",    "aten::feature_dropout",       "aten::alpha_dropout", "aten::to",
      "aten::contiguous", "aten::feature_alpha_dropout", "aten::type_as",       "aten::expand_as"};
  static const std::set<std::string> in_place = {"aten::dropout_", "aten::feature_dropout_",
                                                 "aten::alpha_dropout_",
                                                 "aten::feature_alpha_dropout_"};
  const std::string name = node->kind().toQualString();
  if (in_place.count(name) == 0) return names.count(name) != 0;
  // In-place dropout always returns its argument, but is no work only when not training.
  return inputs.at(2)->kind == KnownValue::Kind::kStatic && !inputs[2]->value.toBool();
}

bool is_identity_by_size(const jit::Node* node) {
  return node->kind() == c10::aten::contiguous || node->kind() == c10::aten::expand_as;
}

bool shape_depends_on_content(const jit::Node* node, const KnownValues& inputs) {
  static const std::set<std::string> names = {"aten::nonzero",
                                              "aten::nonzero_numpy",
                                              "aten::masked_select",
                                              "aten::unique_dim",
                                              "aten::_unique",
                                              "aten::_unique2",
                                              "aten::unique_consecutive",
                                              "aten::unique_dim_consecutive",
                                              "aten::argwhere",
                                              "aten::bincount",
                                              "aten::repeat_interleave",
                                              "aten::one_hot",
                                              "aten::_pack_padded_sequence",
                                              "aten::_pad_packed_sequence",
                                              "aten::to_dense",
                                              "aten::coalesce",
                                              "aten::nested_to_padded_tensor"};
  const std::string name = node->kind().toQualString();
  const std::string space = node->kind().ns().toUnqualString();
  if (space != "aten" && space != "prim" && space != "quantized" && space != "prepacked") {
    return true;
  }
  if (name == "aten::where" && inputs.size() == 1) return true;
  if (name == "aten::tensor_split") return inputs[1]->kind == KnownValue::Kind::kTensor;
  if (name == "aten::index" || name == "aten::index_put") {
    for (const KnownValuePtr& index : inputs[1]->elements) {
      if (index->value.isTensor() && index->value.toTensor().defined() &&
          (index->value.toTensor().scalar_type() == at::kBool ||
           index->value.toTensor().scalar_type() == at::kByte)) {
        return name == "aten::index";
      }
    }
    return false;
  }
  return names.count(name) != 0 || tagged_dynamic_shape(*node);
}

bool gives_fixed_count(const jit::Node* node, const KnownValues& inputs) {
  const std::string name = node->kind().toQualString();
  if (name == "aten::split" || name == "aten::split_with_sizes") {  // by a list of sizes
    return inputs[1]->kind == KnownValue::Kind::kList;
  }
  if (name == "aten::broadcast_tensors" || name == "aten::meshgrid") {
    return inputs[0]->kind == KnownValue::Kind::kList;
  }
  if (name == "aten::where" || name == "aten::nonzero_numpy") {  // one per dimension
    return inputs.size() == 1 && inputs[0]->kind == KnownValue::Kind::kTensor &&
           !inputs[0]->shape_from_data;
  }
  return false;
}

bool shape_may_depend_on_content(const jit::Node* node) {
  if (node->kind() == c10::aten::index || node->kind() == c10::aten::where) return true;
  return node->kind() != c10::aten::index_put && shape_depends_on_content(node, {});
}

}  // namespace adamec::torchscript
