#include "adamec/predict/signature.h"

#include <fmt/format.h>

#include <cctype>

namespace adamec::predict {
namespace {

std::string type_text(const v1::TensorType& type) {
  std::string text = v1::DataType_IsValid(type.dtype()) ? v1::DataType_Name(type.dtype()) : "?";
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return fmt::format("{}[{}]", text, fmt::join(type.shape(), ","));
}

// Text from a file, on one line and without ambiguity: control characters and '\' are escaped.
std::string escaped(const std::string& text) {
  std::string result;
  for (const unsigned char c : text) {
    if (c < 0x20 || c == 0x7f || c == '\\') {
      result += fmt::format("\\x{:02x}", c);
    } else {
      result += static_cast<char>(c);
    }
  }
  return result;
}

std::string argument_text(const v1::Argument& argument) {
  std::string text = escaped(argument.name()) + "=";
  if (argument.weight()) text += "weight ";
  const char* separator = "";
  for (const v1::TensorType& type : argument.tensors()) {
    text += separator + type_text(type);
    separator = "+";
  }
  return text + escaped(argument.literal());
}

std::string operator_text(const v1::Operator& op) {
  std::string text = escaped(op.name()) + "(";
  const char* separator = "";
  for (const v1::Argument& argument : op.arguments()) {
    text += separator + argument_text(argument);
    separator = ",";
  }
  text += ")->";
  separator = "";
  for (const v1::TensorType& type : op.results()) {
    text += separator + type_text(type);
    separator = ",";
  }
  return text;
}

}  // namespace

std::string signature(const v1::Atom& atom) {
  std::string text;
  const char* separator = "";
  for (const v1::Operator& op : atom.operators()) {
    text += separator + operator_text(op);
    separator = ";";
  }
  if (atom.kind() == v1::OPERATOR || atom.kind() == v1::VIEW) return text;
  // The operators do not say everything about what such an atom does.
  const std::string kind = v1::AtomKind_IsValid(atom.kind()) ? v1::AtomKind_Name(atom.kind()) : "?";
  return fmt::format("{} macs={} weights={}: {}", kind, atom.macs(), atom.weight_bytes(), text);
}

}  // namespace adamec::predict
