#include "adamec/report/document.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace adamec::report {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Whether YAML 1.1 and 1.2 read the bare word as this text.
bool is_plain(const std::string& text) {
  static constexpr std::array<std::string_view, 12> kWords = {
      "true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf", "infinity"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                              c == '/';
                     }) &&
         std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

void emit(YAML::Emitter& out, const Document& value, int depth);

void emit_text(YAML::Emitter& out, const std::string& text) {
  if (!is_plain(text)) out << YAML::DoubleQuoted;
  out << text;
}

bool holds_scalars_only(const Document& value) {
  return std::all_of(value.begin(), value.end(),
                     [](const Document& item) { return item.is_primitive(); });
}

// Scalars, or a list of lists of scalars.
bool fits_on_a_line(const Document& value) {
  return std::all_of(value.begin(), value.end(), [&](const Document& item) {
    return item.is_primitive() || (value.is_array() && item.is_array() && holds_scalars_only(item));
  });
}

void emit_container(YAML::Emitter& out, const Document& value, int depth) {
  if (value.empty() || (depth > 1 && fits_on_a_line(value))) out << YAML::Flow;
  if (value.is_array()) {
    out << YAML::BeginSeq;
    for (const Document& item : value) emit(out, item, depth + 1);
    out << YAML::EndSeq;
    return;
  }
  out << YAML::BeginMap;
  for (const auto& [key, item] : value.items()) {
    out << YAML::Key;
    emit_text(out, key);
    out << YAML::Value;
    emit(out, item, depth + 1);
  }
  out << YAML::EndMap;
}

void emit(YAML::Emitter& out, const Document& value, int depth) {
  if (value.is_string()) {
    emit_text(out, value.get<std::string>());
  } else if (value.is_structured()) {
    emit_container(out, value, depth);
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();  // the same digits as in JSON
  }
}

}  // namespace

std::string to_json(const Document& document) {
  return document.dump(2, ' ', false, Document::error_handler_t::replace) + "\n";
}

std::string to_yaml(const Document& document) {
  YAML::Emitter out;
  emit(out, document, 0);
  return std::string(out.c_str()) + "\n";
}

}  // namespace adamec::report
