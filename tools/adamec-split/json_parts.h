#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "adamec/v1/archive.pb.h"

namespace adamec::tools {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json operator_json(const v1::Operator& op);

// Indented, with a newline; bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string json_text(const Json& json);

}  // namespace adamec::tools
