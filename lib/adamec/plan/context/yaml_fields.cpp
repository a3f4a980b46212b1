#include "adamec/plan/context/yaml_fields.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace adamec::plan {
namespace {

std::string join(std::initializer_list<const char*> keys) {
  std::string text;
  for (const char* key : keys) text += (text.empty() ? "" : ", ") + std::string(key);
  return text;
}

}  // namespace

std::string at_line(const std::string& source, const YAML::Node& node) {
  return fmt::format("{}:{}", source, std::max(node.Mark().line, 0) + 1);
}

YamlFields::YamlFields(const YAML::Node& node, std::string source, std::string where,
                       std::initializer_list<const char*> keys)
    : node_(node), source_(std::move(source)), where_(std::move(where)) {
  if (!node.IsMap()) {
    fail("{}: {}: expected a mapping of {}", at_line(source_, node), where_, join(keys));
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      fail("{}: {}: unknown key '{}' (known: {})", at_line(source_, entry.first), where_,
           printable(key), join(keys));
    }
    if (!seen.insert(key).second) {
      fail("{}: {}: key '{}' is given twice", at_line(source_, entry.first), where_, key);
    }
  }
}

YAML::Node YamlFields::find(const char* key) const {
  for (const auto& entry : node_) {
    if (entry.first.Scalar() == key) return entry.second;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

YAML::Node YamlFields::require(const char* key) const {
  const YAML::Node value = find(key);
  if (!value.IsDefined()) fail("{}: {}: key '{}' is missing", at_line(source_, node_), where_, key);
  return value;
}

std::string YamlFields::text(const char* key) const {
  const YAML::Node value = require(key);
  if (!value.IsScalar() || value.Scalar().empty()) fail("{}: expected a value", field(key));
  return value.Scalar();
}

std::string YamlFields::text(const char* key, const std::string& fallback) const {
  return has(key) ? text(key) : fallback;
}

double YamlFields::number(const char* key, double fallback, double low, double high,
                          const char* expected) const {
  if (!has(key)) return fallback;
  const std::string scalar = text(key);
  double value = 0;
  const char* end = scalar.data() + scalar.size();
  const auto [rest, error] = std::from_chars(scalar.data(), end, value);
  if (error != std::errc() || rest != end || !(value >= low) || !(value <= high)) {
    fail("{}: '{}' is not {}", field(key), printable(scalar), expected);
  }
  return value;
}

std::string YamlFields::field(const char* key) const {
  const YAML::Node value = find(key);
  const std::string line = at_line(source_, value.IsDefined() ? value : node_);
  return fmt::format("{}: {}{}{}", line, where_, where_.empty() ? "" : ".", key);
}

}  // namespace adamec::plan
