#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <string>

#include "adamec/base/error.h"

namespace adamec::plan {

// A YAML mapping with a known set of keys. Throws Error "source:line: where: reason" for anything
// that is not a mapping, for unknown keys (naming those that exist) and for keys given twice.
class YamlFields {
 public:
  YamlFields(const YAML::Node& node, std::string source, std::string where,
             std::initializer_list<const char*> keys);

  [[nodiscard]] bool has(const char* key) const { return find(key).IsDefined(); }
  // The value's node; throws when the key is missing.
  [[nodiscard]] YAML::Node require(const char* key) const;
  // A scalar that is not empty. With a fallback, a missing key gives that.
  [[nodiscard]] std::string text(const char* key) const;
  [[nodiscard]] std::string text(const char* key, const std::string& fallback) const;
  // A finite number within the range, `expected` in words.
  [[nodiscard]] double number(const char* key, double fallback, double low, double high,
                              const char* expected) const;
  // "source:line: where.key", for messages about the value.
  [[nodiscard]] std::string field(const char* key) const;

 private:
  YAML::Node find(const char* key) const;

  YAML::Node node_;
  std::string source_;
  std::string where_;
};

// "source:line"; the line is 1 for the first.
[[nodiscard]] std::string at_line(const std::string& source, const YAML::Node& node);

}  // namespace adamec::plan
