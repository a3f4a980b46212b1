#pragma once

#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"

namespace adamec::archive {

// Ids of the tensors in a value that atoms make or that are inputs, depth first.
[[nodiscard]] std::vector<std::string> tensors_of(const v1::Value& value);

// Ids of the tensors in a value that do not depend on the inputs.
[[nodiscard]] std::vector<std::string> constants_of(const v1::Value& value);

// The value as people write it: "(relu:0, {boxes: nms:0, count: 3})"; constants as "w:name",
// elements of tensors as "number id".
[[nodiscard]] std::string value_text(const v1::Value& value);

}  // namespace adamec::archive
