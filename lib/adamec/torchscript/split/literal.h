#pragma once

#include <string>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// The value that describe.cpp wrote down as this text ("[2, 2]", "None", "0.5"), for a parameter of
// this type. Throws Error when the text is none of the type.
[[nodiscard]] c10::IValue parse_literal(const std::string& text, const c10::TypePtr& type);

}  // namespace adamec::torchscript
