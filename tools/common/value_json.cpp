#include "tools/common/value_json.h"

namespace adamec::tools {
namespace {

using Json = nlohmann::ordered_json;

Json items_json(const v1::Value::Items& items) {
  Json json = Json::array();
  for (const v1::Value& item : items.items()) json.push_back(value_json(item));
  return json;
}

}  // namespace

Json value_json(const v1::Value& value) {
  switch (value.kind_case()) {
    case v1::Value::kTensor:
      return {{"tensor", value.tensor()}};
    case v1::Value::kConstant:
      return {{"constant", value.constant()}};
    case v1::Value::kNumber:
      return {{"number", value.number()}};
    case v1::Value::kIntValue:
      return {{"int", value.int_value()}};
    case v1::Value::kFloatValue:
      return {{"float", value.float_value()}};
    case v1::Value::kBoolValue:
      return {{"bool", value.bool_value()}};
    case v1::Value::kStringValue:
      return {{"string", value.string_value()}};
    case v1::Value::kTuple:
      return {{"tuple", items_json(value.tuple())}};
    case v1::Value::kList:
      return {{"list", items_json(value.list())}};
    case v1::Value::kDict:
      return {{"dict", items_json(value.dict())}, {"keys", Json(value.dict().keys())}};
    default:
      return {{"none", true}};
  }
}

}  // namespace adamec::tools
