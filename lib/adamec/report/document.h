#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace adamec::report {

// What a command says, once: the writers below only differ in notation. Keys keep their order, so
// the same document always gives the same bytes. Numbers are printed so that they read back equal.
using Document = nlohmann::ordered_json;

[[nodiscard]] std::string to_json(const Document& document);
// Block style; lists (also of lists) and mappings of scalars inside others on one line.
[[nodiscard]] std::string to_yaml(const Document& document);

}  // namespace adamec::report
