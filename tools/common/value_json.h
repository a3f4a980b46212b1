#pragma once

#include <nlohmann/json.hpp>

#include "adamec/v1/archive.pb.h"

namespace adamec::tools {

// What a model takes or returns, one key saying what it is: {"tensor": id}, {"constant": id} of a
// stored tensor, {"number": id} of a tensor whose only element is meant, {"int": 3}, {"float":
// 0.5},
// {"bool": true}, {"string": "x"}, {"tuple": [...]}, {"list": [...]}, {"dict": [...], "keys":
// [...]}, {"none": true}.
[[nodiscard]] nlohmann::ordered_json value_json(const v1::Value& value);

}  // namespace adamec::tools
