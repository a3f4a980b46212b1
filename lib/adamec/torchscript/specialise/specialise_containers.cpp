#include <algorithm>
#include <set>

#include "adamec/torchscript/specialise/specialiser.h"

namespace adamec::torchscript {
namespace {

// Python's index rules; -1 when out of range.
std::ptrdiff_t position(std::int64_t index, std::size_t size) {
  const auto length = static_cast<std::int64_t>(size);
  if (index < 0) index += length;
  return index >= 0 && index < length ? index : -1;
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
std::vector<KnownValuePtr> slice(const std::vector<KnownValuePtr>& elements,
                                 const c10::IValue& start, const c10::IValue& end,
                                 std::int64_t step) {
  const auto length = static_cast<std::int64_t>(elements.size());
  const auto bound = [&](const c10::IValue& value, std::int64_t missing) {
    if (!value.isInt()) return missing;
    const std::int64_t index = value.toInt();
    return std::clamp<std::int64_t>(index < 0 ? index + length : index, 0, length);
  };
  std::vector<KnownValuePtr> result;
  for (std::int64_t i = bound(start, 0); i < bound(end, length); i += step) {
    result.push_back(elements[i]);
  }
  return result;
}

bool changes_container(const std::string& name) {
  static const std::set<std::string> names = {"aten::append",    "aten::clear", "aten::reverse",
                                              "aten::extend",    "aten::add_",  "aten::insert",
                                              "aten::_set_item", "aten::pop",   "aten::Delete"};
  return names.count(name) != 0;
}

bool all_static(const std::vector<KnownValuePtr>& inputs, std::size_t from) {
  return std::all_of(
      inputs.begin() + static_cast<std::ptrdiff_t>(from), inputs.end(),
      [](const KnownValuePtr& item) { return item->kind == KnownValue::Kind::kStatic; });
}

}  // namespace

bool Specialiser::apply_container(jit::Node* node, const Items& inputs) {
  if (apply_construct(node, inputs)) return true;
  if (inputs.empty()) return false;
  if (inputs[0]->kind == KnownValue::Kind::kList) return apply_list(node, inputs);
  if (inputs[0]->kind == KnownValue::Kind::kDict) return apply_dict(node, inputs);
  if (inputs[0]->kind == KnownValue::Kind::kTuple && node->kind() == c10::aten::len) {
    bind(node->outputs(), {known_static(static_cast<std::int64_t>(inputs[0]->elements.size()))});
    return true;
  }
  return false;
}

bool Specialiser::apply_construct(jit::Node* node, const Items& inputs) {
  switch (node->kind()) {
    case c10::prim::ListConstruct:
      bind(node->outputs(),
           {known_container(KnownValue::Kind::kList, node->output()->type(), inputs)});
      return true;
    case c10::prim::TupleConstruct:
      bind(node->outputs(),
           {known_container(KnownValue::Kind::kTuple, node->output()->type(), inputs)});
      return true;
    case c10::prim::DictConstruct: {
      const KnownValuePtr dict =
          known_container(KnownValue::Kind::kDict, node->output()->type(), {});
      for (std::size_t i = 0; i + 1 < inputs.size(); i += 2) {
        if (inputs[i]->kind != KnownValue::Kind::kStatic) return false;
        set_entry(*dict, inputs[i]->value, inputs[i + 1]);
      }
      bind(node->outputs(), {dict});
      return true;
    }
    case c10::prim::ListUnpack:
    case c10::prim::TupleUnpack:
      if (!inputs[0]->is_container()) return unpack_opaque(node, inputs[0]);
      if (inputs[0]->elements.size() != node->outputs().size()) {
        unsupported(node, "unpacks a list of another length");
      }
      bind(node->outputs(), Items(inputs[0]->elements));
      return true;
    case c10::prim::TupleIndex: {
      if (!inputs[0]->is_container() || inputs[1]->kind != KnownValue::Kind::kStatic) return false;
      const auto at = position(inputs[1]->value.toInt(), inputs[0]->elements.size());
      if (at < 0) unsupported(node, "an index out of range");
      bind(node->outputs(), {inputs[0]->elements[at]});
      return true;
    }
    case c10::prim::TupleSlice: {
      if (!inputs[0]->is_container()) return false;
      const auto begin = inputs[0]->elements.begin();
      bind(node->outputs(), {known_container(KnownValue::Kind::kTuple, node->output()->type(),
                                             Items(begin + node->i(c10::attr::beg),
                                                   begin + node->i(c10::attr::end)))});
      return true;
    }
    default:
      return false;
  }
}

// From now on the container is known as the attribute's.
void Specialiser::note_container(const KnownValuePtr& container, const std::string& path) {
  container_paths_[container.get()] = path;
  attribute_containers_.push_back(container);
}

// A list or dict that an attribute holds is still changed in the next run.
void Specialiser::notice_container_write(const KnownValuePtr& container) {
  const auto path = container_paths_.find(container.get());
  if (path != container_paths_.end()) learn(assumptions_.attributes, path->second);
}

// A list or tuple that depends on data: only its unpacking says how many elements it has.
bool Specialiser::unpack_opaque(jit::Node* node, const KnownValuePtr& whole) {
  const c10::IValue& value = whole->value;
  if (!value.isList() && !value.isTuple()) return false;
  const jit::Stack elements =
      value.isList() ? value.toListRef().vec() : value.toTupleRef().elements().vec();
  if (elements.size() != node->outputs().size()) {
    unsupported(node, "unpacks a list of another length");
  }
  jit::Node* copy = append(node, {materialise(whole)});
  bind(node->outputs(), wrap_outputs(copy, elements, {true, whole->from_state, ""}));
  return true;
}

bool Specialiser::apply_list(jit::Node* node, const Items& inputs) {
  Items& list = inputs[0]->elements;
  const std::string name = node->kind().toQualString();
  if (changes_container(name)) notice_container_write(inputs[0]);
  const auto give = [&](const KnownValuePtr& result) {
    if (!node->outputs().empty()) bind(node->outputs(), {result});
    return true;
  };
  const auto fresh = [&](Items elements) {
    return known_container(KnownValue::Kind::kList, inputs[0]->type, std::move(elements));
  };
  if (name == "aten::len") return give(known_static(static_cast<std::int64_t>(list.size())));
  if (name == "aten::append") {
    list.push_back(inputs[1]);
    return give(inputs[0]);
  }
  if (name == "aten::list" || name == "aten::copy") return give(fresh(list));
  if (name == "aten::dict") {  // from pairs
    const KnownValuePtr dict = known_container(KnownValue::Kind::kDict, node->output()->type(), {});
    for (const KnownValuePtr& pair : list) {
      if (pair->kind != KnownValue::Kind::kTuple || pair->elements.size() != 2) return false;
      if (pair->elements[0]->kind != KnownValue::Kind::kStatic) return false;
      set_entry(*dict, pair->elements[0]->value, pair->elements[1]);
    }
    return give(dict);
  }
  if (name == "aten::clear") {
    list.clear();
    return true;
  }
  if (name == "aten::reverse") {
    std::reverse(list.begin(), list.end());
    return true;
  }
  if (inputs.size() >= 2 && inputs[1]->kind == KnownValue::Kind::kList) {
    if (name == "aten::add") {
      Items joined = list;
      joined.insert(joined.end(), inputs[1]->elements.begin(), inputs[1]->elements.end());
      return give(fresh(std::move(joined)));
    }
    if (name == "aten::extend" || name == "aten::add_") {
      const Items added = inputs[1]->elements;
      list.insert(list.end(), added.begin(), added.end());
      return give(inputs[0]);
    }
    return false;
  }
  const bool indexed = name == "aten::__getitem__" || name == "aten::_set_item" ||
                       name == "aten::pop" || name == "aten::insert" || name == "aten::Delete";
  if (indexed && inputs.size() >= 2 && inputs[1]->kind == KnownValue::Kind::kStatic) {
    const std::int64_t index = inputs[1]->value.toInt();
    if (name == "aten::insert") {
      const auto size = static_cast<std::int64_t>(list.size());
      const auto at = std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size);
      list.insert(list.begin() + at, inputs[2]);
      return true;
    }
    const auto at = position(index, list.size());
    if (at < 0) unsupported(node, "a list index out of range");
    const KnownValuePtr element = list[at];
    if (name == "aten::_set_item") {
      list[at] = inputs[2];
      return give(inputs[0]);
    }
    if (name != "aten::__getitem__") list.erase(list.begin() + at);
    return give(element);
  }
  if (name == "aten::slice" && all_static(inputs, 1) && inputs.size() == 4 &&
      inputs[3]->value.toInt() > 0) {
    return give(fresh(slice(list, inputs[1]->value, inputs[2]->value, inputs[3]->value.toInt())));
  }
  if (name == "aten::mul" && inputs.size() == 2 && inputs[1]->kind == KnownValue::Kind::kStatic) {
    Items repeated;
    for (std::int64_t i = 0; i < inputs[1]->value.toInt(); ++i) {
      repeated.insert(repeated.end(), list.begin(), list.end());
    }
    return give(fresh(std::move(repeated)));
  }
  return false;
}

bool Specialiser::apply_dict(jit::Node* node, const Items& inputs) {
  KnownValue& dict = *inputs[0];
  const std::string name = node->kind().toQualString();
  if (changes_container(name)) notice_container_write(inputs[0]);
  const auto give = [&](const KnownValuePtr& result) {
    if (!node->outputs().empty()) bind(node->outputs(), {result});
    return true;
  };
  const auto& type = dict.type->expectRef<c10::DictType>();
  const auto list = [&](const c10::TypePtr& of, Items elements) {
    return known_container(KnownValue::Kind::kList, c10::ListType::create(of), std::move(elements));
  };
  if (name == "aten::len") return give(known_static(static_cast<std::int64_t>(dict.keys.size())));
  if (name == "aten::values") return give(list(type.getValueType(), dict.elements));
  if (name == "aten::keys" || name == "aten::items" || name == "aten::list") {
    Items result;
    const auto pair = c10::TupleType::create({type.getKeyType(), type.getValueType()});
    for (std::size_t i = 0; i < dict.keys.size(); ++i) {
      const KnownValuePtr key = known_static(dict.keys[i]);
      result.push_back(name == "aten::items" ? known_container(KnownValue::Kind::kTuple, pair,
                                                               {key, dict.elements[i]})
                                             : key);
    }
    return give(list(name == "aten::items" ? c10::TypePtr(pair) : type.getKeyType(), result));
  }
  if (name == "aten::copy" || name == "aten::dict") return give(std::make_shared<KnownValue>(dict));
  if (name == "aten::update" && inputs.size() == 2 && inputs[1]->kind == KnownValue::Kind::kDict) {
    for (std::size_t i = 0; i < inputs[1]->keys.size(); ++i) {
      set_entry(dict, inputs[1]->keys[i], inputs[1]->elements[i]);
    }
    return true;
  }
  if (name == "aten::clear") {
    dict.keys.clear();
    dict.elements.clear();
    return true;
  }
  if (inputs.size() < 2 || inputs[1]->kind != KnownValue::Kind::kStatic) return false;
  const c10::IValue& key = inputs[1]->value;
  const auto at = find_key(dict, key);
  if (name == "aten::__contains__") return give(known_static(at >= 0));
  if (name == "aten::_set_item") {
    set_entry(dict, key, inputs[2]);
    return true;
  }
  if (name == "aten::setdefault") {
    if (at < 0) set_entry(dict, key, inputs[2]);
    return give(at < 0 ? inputs[2] : dict.elements[at]);
  }
  if (name == "aten::get") {
    if (at >= 0) return give(dict.elements[at]);
    return give(inputs.size() > 2 ? inputs[2] : known_static(c10::IValue()));
  }
  if (name == "aten::__getitem__" || name == "aten::pop" || name == "aten::Delete") {
    if (at < 0) unsupported(node, "a key the dict does not have");
    const KnownValuePtr element = dict.elements[at];
    if (name != "aten::__getitem__") erase_entry(dict, at);
    return give(element);
  }
  return false;
}

}  // namespace adamec::torchscript
