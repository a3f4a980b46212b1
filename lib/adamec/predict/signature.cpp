#include "adamec/predict/signature.h"

#include <cctype>
#include <charconv>
#include <vector>

#include "adamec/base/sha256.h"

namespace adamec::predict {
namespace {

void append_number(std::string& text, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  text.append(digits, end);
}

// "float32". Made once: signatures are made for every prediction.
const std::string& dtype_name(v1::DataType dtype) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all(v1::DataType_ARRAYSIZE, "?");
    for (int i = 0; i < v1::DataType_ARRAYSIZE; ++i) {
      if (!v1::DataType_IsValid(i)) continue;
      all[i] = v1::DataType_Name(static_cast<v1::DataType>(i));
      for (char& c : all[i]) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return all;
  }();
  static const std::string unknown = "?";
  return v1::DataType_IsValid(dtype) ? names[dtype] : unknown;
}

void append_type(std::string& text, const v1::TensorType& type) {
  text += dtype_name(type.dtype());
  text += '[';
  for (int i = 0; i < type.shape_size(); ++i) {
    if (i > 0) text += ',';
    append_number(text, type.shape(i));
  }
  for (int i = 0; i < type.strides_size(); ++i) {
    text += i > 0 ? ',' : ':';
    append_number(text, type.strides(i));
  }
  text += ']';
  if (type.subnormal_permille() > 0) {
    text += '~';
    append_number(text, type.subnormal_permille());
    text += "/1000";
  }
}

// Text from a file, on one line and without ambiguity: control characters and '\' are escaped.
void append_escaped(std::string& text, const std::string& raw) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const unsigned char c : raw) {
    if (c < 0x20 || c == 0x7f || c == '\\') {
      text += "\\x";
      text += kDigits[c >> 4];
      text += kDigits[c & 15];
    } else {
      text += static_cast<char>(c);
    }
  }
}

void append_operator(std::string& text, const v1::Operator& op) {
  append_escaped(text, op.name());
  text += '(';
  for (int i = 0; i < op.arguments_size(); ++i) {
    const v1::Argument& argument = op.arguments(i);
    if (i > 0) text += ',';
    append_escaped(text, argument.name());
    text += argument.weight() ? "=weight " : "=";
    for (int t = 0; t < argument.tensors_size(); ++t) {
      if (t > 0) text += '+';
      append_type(text, argument.tensors(t));
    }
    append_escaped(text, argument.literal());
  }
  text += ")->";
  for (int i = 0; i < op.results_size(); ++i) {
    if (i > 0) text += ',';
    append_type(text, op.results(i));
  }
}

}  // namespace

std::string signature(const v1::Atom& atom) {
  std::string text;
  text.reserve(400);
  if (atom.kind() != v1::OPERATOR && atom.kind() != v1::VIEW) {
    // The operators do not say everything about what such an atom does.
    text += v1::AtomKind_IsValid(atom.kind()) ? v1::AtomKind_Name(atom.kind()) : "?";
    text += " macs=";
    append_number(text, static_cast<std::int64_t>(atom.macs()));
    text += " weights=";
    append_number(text, static_cast<std::int64_t>(atom.weight_bytes()));
    text += ": ";
  }
  for (int i = 0; i < atom.operators_size(); ++i) {
    if (i > 0) text += ';';
    append_operator(text, atom.operators(i));
  }
  return text;
}

std::string composite_signature(const v1::Sample& sample) {
  std::string text;
  for (const std::string& part : sample.parts()) text += part + '\n';
  for (const v1::Edge& edge : sample.edges()) {
    append_number(text, edge.producer());
    text += '>';
    append_number(text, edge.consumer());
    text += '\n';
  }
  append_number(text, sample.tensors_in());
  text += '>';
  append_number(text, sample.tensors_out());
  std::string result =
      v1::Subject_IsValid(sample.subject()) ? v1::Subject_Name(sample.subject()) : "?";
  result += " of ";
  append_number(result, sample.parts_size());
  return result + ": " + sha256_hex(text).substr(0, 16);
}

std::uint64_t signature_hash(std::string_view signature) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : signature) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}

}  // namespace adamec::predict
