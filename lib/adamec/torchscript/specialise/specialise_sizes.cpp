// Sizes that stay open: see specialise().
#include "adamec/base/error.h"
#include "adamec/torchscript/specialise/operator_kinds.h"
#include "adamec/torchscript/specialise/specialiser.h"

namespace adamec::torchscript {

// The same text for the same step of the program, in whatever run of partial evaluation.
std::string Specialiser::site(const jit::Node* node) {
  const int id = node_ids_.at(node);
  return fmt::format("{}.{}", id, times_[id]++);
}

void Specialiser::number_nodes(jit::Block* block) {
  for (jit::Node* node : block->nodes()) {
    node_ids_.emplace(node, static_cast<int>(node_ids_.size()));
    for (jit::Block* inner : node->blocks()) number_nodes(inner);
  }
}

// Queries of the sizes of tensors that may have others in another run. Sizes that have been the
// same for all example arguments are known, and checked whenever the atoms run; the others are
// code. True when the query is done.
bool Specialiser::apply_size_query(jit::Node* node, const Items& inputs) {
  if (!open_sizes_ || inputs.empty() || inputs[0]->kind != KnownValue::Kind::kTensor ||
      inputs[0]->constant || inputs[0]->shape_from_data) {
    return false;
  }
  const bool all = node->kind() == c10::aten::size && inputs.size() == 1;
  const bool one = node->kind() == c10::aten::size && inputs.size() == 2 &&
                   inputs[1]->kind == KnownValue::Kind::kStatic && inputs[1]->value.isInt();
  const bool length = node->kind() == c10::aten::len;
  const bool rank = node->kind() == c10::aten::dim;
  if (!all && !one && !length && !rank) return false;
  const KnownValuePtr& tensor = inputs[0];
  const at::IntArrayRef sizes = tensor->value.toTensor().sizes();
  const std::string here = site(node);
  const std::string guard = fmt::format("the argument of {}, step {},", construct(node), here);
  if (is_open(guard)) return false;
  note_answer(here + ".rank", static_cast<std::int64_t>(sizes.size()));
  if (is_open(here + ".rank")) return false;
  if (rank) {
    check_sizes(guard, tensor, {});
    bind(node->outputs(), {known_static(static_cast<std::int64_t>(sizes.size()))});
    return true;
  }
  Items result;
  std::set<std::size_t> known;
  std::int64_t first = 0;
  std::int64_t last = static_cast<std::int64_t>(sizes.size());
  if (!all) {
    first = one ? inputs[1]->value.toInt() : 0;
    if (first < 0) first += last;
    if (first < 0 || first >= last) return false;  // the operator says what is wrong
    last = first + 1;
  }
  for (std::int64_t i = first; i < last; ++i) {
    const std::string place = fmt::format("{}.{}", here, i);
    note_answer(place, sizes[i]);
    result.push_back(known_static(sizes[i]));
    if (!is_open(place)) {
      known.insert(static_cast<std::size_t>(i));
      continue;
    }
    result.back()->kind = KnownValue::Kind::kOpaque;
    result.back()->from_state = true;
    result.back()->residual =
        residual_.graph->insert(c10::aten::size, {unguarded(tensor->residual), i});
  }
  check_sizes(guard, tensor, known);
  bind(node->outputs(),
       all ? Items{known_container(KnownValue::Kind::kList, c10::ListType::ofInts(), result)}
           : result);
  return true;
}

void Specialiser::note_answer(const std::string& place, std::int64_t answer) {
  residual_.answers[place] = answer;
}

bool Specialiser::is_open(const std::string& place) const {
  return assumptions_.varying.count(place) != 0;
}

// From here on, whatever uses the tensor checks its rank and these sizes.
void Specialiser::check_sizes(const std::string& guard, const KnownValuePtr& tensor,
                              const std::set<std::size_t>& known) {
  const auto [checked, first] = checked_sizes_.try_emplace(tensor);
  const std::size_t before = checked->second.size();
  checked->second.insert(known.begin(), known.end());
  if (!first && checked->second.size() == before) return;
  tensor->residual = guarded(tensor->residual, tensor->value.toTensor(), guard, &checked->second);
}

}  // namespace adamec::torchscript
