#include "adamec/archive/value.h"

#include <fmt/format.h>

#include "adamec/base/error.h"

namespace adamec::archive {
namespace {

// Calls visit(value) for the value and all inside it, depth first.
template <typename Visit>
void for_each(const v1::Value& value, Visit visit) {
  visit(value);
  for (const v1::Value& item : value.tuple().items()) for_each(item, visit);
  for (const v1::Value& item : value.list().items()) for_each(item, visit);
  for (const v1::Value& item : value.dict().items()) for_each(item, visit);
}

std::string items_text(const v1::Value::Items& items) {
  std::string text;
  for (int i = 0; i < items.items_size(); ++i) {
    if (i > 0) text += ", ";
    if (i < items.keys_size()) text += printable(items.keys(i)) + ": ";
    text += value_text(items.items(i));
  }
  return text;
}

}  // namespace

std::vector<std::string> tensors_of(const v1::Value& value) {
  std::vector<std::string> ids;
  for_each(value, [&](const v1::Value& part) {
    if (part.has_tensor()) ids.push_back(part.tensor());
    if (part.has_number()) ids.push_back(part.number());
  });
  return ids;
}

std::vector<std::string> constants_of(const v1::Value& value) {
  std::vector<std::string> ids;
  for_each(value, [&](const v1::Value& part) {
    if (part.has_constant()) ids.push_back(part.constant());
  });
  return ids;
}

std::string value_text(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kTensor:
      return printable(value.tensor());
    case v1::Value::kConstant:
      return printable(value.constant());
    case v1::Value::kNumber:
      return "number " + printable(value.number());
    case v1::Value::kIntValue:
      return fmt::format("{}", value.int_value());
    case v1::Value::kFloatValue:
      return fmt::format("{}", value.float_value());
    case v1::Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case v1::Value::kStringValue:
      return "'" + printable(value.string_value()) + "'";
    case v1::Value::kTuple:
      return "(" + items_text(value.tuple()) + (value.tuple().items_size() == 1 ? ",)" : ")");
    case v1::Value::kList:
      return "[" + items_text(value.list()) + "]";
    case v1::Value::kDict:
      return "{" + items_text(value.dict()) + "}";
    default:
      return "none";
  }
}

}  // namespace adamec::archive
