#include "adamec/torchscript/specialise/containers.h"

#include <algorithm>
#include <string>

#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {
namespace {

using Kind = KnownValue::Kind;
using Results = std::optional<KnownValues>;

// Python's index rules; -1 when out of range.
std::ptrdiff_t position(std::int64_t index, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  if (index < 0) index += length;
  return index >= 0 && index < length ? index : -1;
}

// Python's rules for the bounds of slices and for places to insert at.
std::int64_t clamped(std::int64_t index, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  return std::clamp<std::int64_t>(index < 0 ? index + length : index, 0, length);
}

std::ptrdiff_t find_key(const KnownValue& dict, const c10::IValue& key) {
  for (std::size_t i = 0; i < dict.keys.size(); ++i) {
    if (same_key(dict.keys[i], key)) return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

void set_entry(KnownValue& dict, const c10::IValue& key, const KnownValuePtr& value) {
  const auto at = find_key(dict, key);
  if (at >= 0) {
    dict.elements[at] = value;
  } else {
    dict.keys.push_back(key);
    dict.elements.push_back(value);
  }
}

void erase_entry(KnownValue& dict, std::ptrdiff_t at) {
  dict.keys.erase(dict.keys.begin() + at);
  dict.elements.erase(dict.elements.begin() + at);
}

// Python's list[start:end:step] for step > 0; missing bounds are None.
KnownValues slice(const KnownValues& elements, const c10::IValue& start, const c10::IValue& end,
                  std::int64_t step) {
  const auto length = static_cast<std::int64_t>(elements.size());
  const std::int64_t first = start.isInt() ? clamped(start.toInt(), elements.size()) : 0;
  const std::int64_t last = end.isInt() ? clamped(end.toInt(), elements.size()) : length;
  KnownValues result;
  for (std::int64_t i = first; i < last; i += step) result.push_back(elements[i]);
  return result;
}

bool all_static(const KnownValues& inputs, std::size_t from) {
  return std::all_of(inputs.begin() + static_cast<std::ptrdiff_t>(from), inputs.end(),
                     [](const KnownValuePtr& known) { return known->kind == Kind::kStatic; });
}

KnownValuePtr known_length(std::size_t size) {
  return known_static(static_cast<std::int64_t>(size));
}

// The one result, where the operator has one.
KnownValues give(const jit::Node* node, const KnownValuePtr& result) {
  return node->outputs().empty() ? KnownValues() : KnownValues{result};
}

Results construct_dict(const jit::Node* node, const KnownValues& inputs) {
  const KnownValuePtr dict = known_container(Kind::kDict, node->output()->type(), {});
  for (std::size_t i = 0; i + 1 < inputs.size(); i += 2) {
    if (inputs[i]->kind != Kind::kStatic) return std::nullopt;
    set_entry(*dict, inputs[i]->value, inputs[i + 1]);
  }
  return KnownValues{dict};
}

Results apply_tuple(const jit::Node* node, const KnownValues& inputs) {
  const KnownValues& elements = inputs[0]->elements;
  if (node->kind() == c10::prim::TupleIndex) {
    if (inputs[1]->kind != Kind::kStatic) return std::nullopt;
    const auto at = position(inputs[1]->value.toInt(), elements.size());
    if (at < 0) throw_unsupported(node, "an index out of range");
    return KnownValues{elements[at]};
  }
  const auto begin = elements.begin();
  KnownValues part(begin + node->i(c10::attr::beg), begin + node->i(c10::attr::end));
  return KnownValues{known_container(Kind::kTuple, node->output()->type(), std::move(part))};
}

Results apply_construct(const jit::Node* node, const KnownValues& inputs) {
  switch (node->kind()) {
    case c10::prim::ListConstruct:
      return KnownValues{known_container(Kind::kList, node->output()->type(), inputs)};
    case c10::prim::TupleConstruct:
      return KnownValues{known_container(Kind::kTuple, node->output()->type(), inputs)};
    case c10::prim::DictConstruct:
      return construct_dict(node, inputs);
    case c10::prim::ListUnpack:
    case c10::prim::TupleUnpack:
      if (!inputs[0]->is_container()) return std::nullopt;
      if (inputs[0]->elements.size() != node->outputs().size()) {
        throw_unsupported(node, "it unpacks a list of a different length");
      }
      return inputs[0]->elements;
    case c10::prim::TupleIndex:
    case c10::prim::TupleSlice:
      return inputs[0]->is_container() ? apply_tuple(node, inputs) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Results dict_from_pairs(const jit::Node* node, const KnownValues& pairs) {
  const KnownValuePtr dict = known_container(Kind::kDict, node->output()->type(), {});
  for (const KnownValuePtr& pair : pairs) {
    if (pair->kind != Kind::kTuple || pair->elements.size() != 2) return std::nullopt;
    if (pair->elements[0]->kind != Kind::kStatic) return std::nullopt;
    set_entry(*dict, pair->elements[0]->value, pair->elements[1]);
  }
  return give(node, dict);
}

// With a place in the list as second input.
Results apply_at(const jit::Node* node, const std::string& name, const KnownValues& inputs) {
  KnownValues& list = inputs[0]->elements;
  const std::int64_t index = inputs[1]->value.toInt();
  if (name == "aten::insert") {
    list.insert(list.begin() + clamped(index, list.size()), inputs[2]);
    return KnownValues();
  }
  const auto at = position(index, list.size());
  if (at < 0) throw_unsupported(node, "a list index out of range");
  const KnownValuePtr element = list[at];
  if (name == "aten::_set_item") {
    list[at] = inputs[2];
    return give(node, inputs[0]);
  }
  if (name != "aten::__getitem__") list.erase(list.begin() + at);
  return give(node, element);
}

// With a list as second input.
Results apply_to_two_lists(const jit::Node* node, const std::string& name,
                           const KnownValues& inputs) {
  const KnownValues added = inputs[1]->elements;
  if (name == "aten::add") {
    KnownValues joined = inputs[0]->elements;
    joined.insert(joined.end(), added.begin(), added.end());
    return give(node, known_container(Kind::kList, inputs[0]->type, std::move(joined)));
  }
  if (name != "aten::extend" && name != "aten::add_") return std::nullopt;
  KnownValues& list = inputs[0]->elements;
  list.insert(list.end(), added.begin(), added.end());
  return give(node, inputs[0]);
}

Results apply_list(const jit::Node* node, const KnownValues& inputs) {
  KnownValues& list = inputs[0]->elements;
  const std::string name = node->kind().toQualString();
  const auto fresh = [&](KnownValues elements) {
    return known_container(Kind::kList, inputs[0]->type, std::move(elements));
  };
  if (name == "aten::len") return give(node, known_length(list.size()));
  if (name == "aten::append") {
    list.push_back(inputs[1]);
    return give(node, inputs[0]);
  }
  if (name == "aten::list" || name == "aten::copy") return give(node, fresh(list));
  if (name == "aten::dict") return dict_from_pairs(node, list);
  if (name == "aten::clear") {
    list.clear();
    return KnownValues();
  }
  if (name == "aten::reverse") {
    std::reverse(list.begin(), list.end());
    return KnownValues();
  }
  if (inputs.size() < 2) return std::nullopt;
  if (inputs[1]->kind == Kind::kList) return apply_to_two_lists(node, name, inputs);
  if (inputs[1]->kind != Kind::kStatic) return std::nullopt;
  if (name == "aten::__getitem__" || name == "aten::_set_item" || name == "aten::pop" ||
      name == "aten::insert" || name == "aten::Delete") {
    return apply_at(node, name, inputs);
  }
  if (name == "aten::slice" && all_static(inputs, 1) && inputs.size() == 4 &&
      inputs[3]->value.toInt() > 0) {
    return give(node,
                fresh(slice(list, inputs[1]->value, inputs[2]->value, inputs[3]->value.toInt())));
  }
  if (name == "aten::mul" && inputs.size() == 2) {
    KnownValues repeated;
    for (std::int64_t i = 0; i < inputs[1]->value.toInt(); ++i) {
      repeated.insert(repeated.end(), list.begin(), list.end());
    }
    return give(node, fresh(std::move(repeated)));
  }
  return std::nullopt;
}

// keys(), items() and list(dict) as a list.
KnownValuePtr dict_entries(const KnownValue& dict, bool with_values) {
  const auto& type = dict.type->expectRef<c10::DictType>();
  const auto pair = c10::TupleType::create({type.getKeyType(), type.getValueType()});
  KnownValues entries;
  for (std::size_t i = 0; i < dict.keys.size(); ++i) {
    const KnownValuePtr key = known_static(dict.keys[i]);
    entries.push_back(with_values ? known_container(Kind::kTuple, pair, {key, dict.elements[i]})
                                  : key);
  }
  const c10::TypePtr element = with_values ? c10::TypePtr(pair) : type.getKeyType();
  return known_container(Kind::kList, c10::ListType::create(element), std::move(entries));
}

// With a key as second input.
Results apply_at_key(const jit::Node* node, const std::string& name, const KnownValues& inputs) {
  KnownValue& dict = *inputs[0];
  const c10::IValue& key = inputs[1]->value;
  const auto at = find_key(dict, key);
  if (name == "aten::__contains__") return give(node, known_static(at >= 0));
  if (name == "aten::_set_item") {
    set_entry(dict, key, inputs[2]);
    return KnownValues();
  }
  if (name == "aten::setdefault") {
    if (at < 0) set_entry(dict, key, inputs[2]);
    return give(node, at < 0 ? inputs[2] : dict.elements[at]);
  }
  if (name == "aten::get") {
    if (at >= 0) return give(node, dict.elements[at]);
    return give(node, inputs.size() > 2 ? inputs[2] : known_static(c10::IValue()));
  }
  if (name == "aten::__getitem__" || name == "aten::pop" || name == "aten::Delete") {
    if (at < 0) throw_unsupported(node, "a key the dict does not have");
    const KnownValuePtr element = dict.elements[at];
    if (name != "aten::__getitem__") erase_entry(dict, at);
    return give(node, element);
  }
  return std::nullopt;
}

Results apply_dict(const jit::Node* node, const KnownValues& inputs) {
  KnownValue& dict = *inputs[0];
  const std::string name = node->kind().toQualString();
  if (name == "aten::len") return give(node, known_length(dict.keys.size()));
  if (name == "aten::values") {
    const auto& type = dict.type->expectRef<c10::DictType>();
    return give(node, known_container(Kind::kList, c10::ListType::create(type.getValueType()),
                                      dict.elements));
  }
  if (name == "aten::keys" || name == "aten::items" || name == "aten::list") {
    return give(node, dict_entries(dict, name == "aten::items"));
  }
  if (name == "aten::copy" || name == "aten::dict") {
    return give(node, std::make_shared<KnownValue>(dict));
  }
  if (name == "aten::update" && inputs.size() == 2 && inputs[1]->kind == Kind::kDict) {
    for (std::size_t i = 0; i < inputs[1]->keys.size(); ++i) {
      set_entry(dict, inputs[1]->keys[i], inputs[1]->elements[i]);
    }
    return KnownValues();
  }
  if (name == "aten::clear") {
    dict.keys.clear();
    dict.elements.clear();
    return KnownValues();
  }
  if (inputs.size() < 2 || inputs[1]->kind != Kind::kStatic) return std::nullopt;
  return apply_at_key(node, name, inputs);
}

}  // namespace

std::optional<KnownValues> apply_container_operator(const jit::Node* node,
                                                    const KnownValues& inputs,
                                                    ModelAttributes& attributes) {
  if (auto results = apply_construct(node, inputs)) return results;
  if (inputs.empty()) return std::nullopt;
  const bool list = inputs[0]->kind == Kind::kList;
  if (list || inputs[0]->kind == Kind::kDict) {
    for_each_write(node, inputs, [&](const KnownValuePtr& input, bool) {
      if (input == inputs[0]) attributes.learn_container_write(*input);
    });
    return list ? apply_list(node, inputs) : apply_dict(node, inputs);
  }
  if (inputs[0]->kind == Kind::kTuple && node->kind() == c10::aten::len) {
    return KnownValues{known_length(inputs[0]->elements.size())};
  }
  return std::nullopt;
}

}  // namespace adamec::torchscript
