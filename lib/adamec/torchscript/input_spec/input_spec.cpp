#include "adamec/torchscript/input_spec/input_spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "adamec/base/error.h"
#include "adamec/proto/tensor_type.h"

namespace adamec::torchscript {
namespace {

constexpr std::size_t kMaxDimensions = 16;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 33;
constexpr int kMaxNesting = 16;

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  fail_with(ErrorKind::kUsage,
            "--input '{}': {}; expected a tensor such as float32[1,3,224,224] or "
            "int64[1,128]<30522, or int=16000, float=0.5, bool=true, str=text, none, or several of "
            "them as [a,b], (a,b), {{key:a}}",
            printable(text), why);
}

InputSpec parse_scalar(const std::string& text, std::string_view type, std::string_view value) {
  InputSpec spec;
  if (type == "int") {
    const auto number = parse_number<std::int64_t>(value);
    if (!number) refuse(text, "not an integer");
    spec.kind = InputSpec::Kind::kInt;
    spec.int_value = *number;
  } else if (type == "float") {
    const auto number = parse_number<double>(value);
    if (!number) refuse(text, "not a number");
    spec.kind = InputSpec::Kind::kFloat;
    spec.float_value = *number;
  } else if (type == "bool") {
    if (value != "true" && value != "false") refuse(text, "neither true nor false");
    spec.kind = InputSpec::Kind::kBool;
    spec.bool_value = value == "true";
  } else if (type == "str") {
    spec.kind = InputSpec::Kind::kString;
    spec.string_value = value;
  } else {
    refuse(text, "unknown type");
  }
  return spec;
}

std::vector<std::int64_t> parse_shape(const std::string& text, std::string_view sizes) {
  std::vector<std::int64_t> shape;
  std::int64_t elements = 1;
  while (!sizes.empty()) {
    const auto comma = sizes.find(',');
    const auto size = parse_number<std::int64_t>(sizes.substr(0, comma));
    if (!size || *size < 0) refuse(text, "a size that is no integer >= 0");
    if (shape.size() == kMaxDimensions) refuse(text, "too many dimensions");
    shape.push_back(*size);
    if (*size > kMaxElements || (*size > 0 && elements > kMaxElements / *size)) {
      refuse(text, "too many elements");
    }
    elements *= *size;
    if (comma == std::string_view::npos) break;
    sizes.remove_prefix(comma + 1);
    if (sizes.empty()) refuse(text, "a size is missing after the last comma");
  }
  return shape;
}

bool is_integer(v1::DataType dtype) {
  return dtype == v1::UINT8 || dtype == v1::INT8 || dtype == v1::INT16 || dtype == v1::INT32 ||
         dtype == v1::INT64;
}

InputSpec parse_plain(const std::string& text, std::string_view view) {
  InputSpec spec;
  if (view == "none") {
    spec.kind = InputSpec::Kind::kNone;
    return spec;
  }
  const auto bracket = view.find('[');
  const auto equals = view.find('=');
  if (bracket == std::string_view::npos || equals < bracket) {
    if (equals == std::string_view::npos) refuse(text, "no shape and no value");
    return parse_scalar(text, view.substr(0, equals), view.substr(equals + 1));
  }
  const auto close = view.find(']', bracket);
  if (close == std::string_view::npos) refuse(text, "']' is missing");
  for (int i = v1::UINT8; i <= v1::BFLOAT16; ++i) {
    const auto candidate = static_cast<v1::DataType>(i);
    if (dtype_name(candidate) == view.substr(0, bracket)) spec.dtype = candidate;
  }
  if (spec.dtype == v1::DATA_TYPE_UNSPECIFIED) refuse(text, "unknown dtype");
  spec.shape = parse_shape(text, view.substr(bracket + 1, close - bracket - 1));
  const std::string_view rest = view.substr(close + 1);
  if (!rest.empty()) {
    const auto bound = rest.front() == '<' ? parse_number<std::int64_t>(rest.substr(1))
                                           : std::optional<std::int64_t>();
    if (!bound || *bound < 1) refuse(text, "what follows ']' is no bound");
    if (!is_integer(spec.dtype)) refuse(text, "a bound is for integer tensors");
    spec.bound = *bound;
  }
  return spec;
}

// What stands between the brackets, cut at the commas that are in no inner brackets.
std::vector<std::string_view> parts_of(const std::string& text, std::string_view inside) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const char c = inside[i];
    if (c == '[' || c == '(' || c == '{') ++depth;
    if (c == ']' || c == ')' || c == '}') --depth;
    if (depth < 0) refuse(text, "a bracket is closed that was not opened");
    if (c != ',' || depth > 0) continue;
    parts.push_back(inside.substr(begin, i - begin));
    begin = i + 1;
  }
  if (depth != 0) refuse(text, "a bracket is not closed");
  if (!inside.empty()) parts.push_back(inside.substr(begin));
  return parts;
}

InputSpec parse(const std::string& text, std::string_view view, int nesting) {
  while (nesting > 0 && !view.empty() && view.front() == ' ') view.remove_prefix(1);
  while (nesting > 0 && !view.empty() && view.back() == ' ') view.remove_suffix(1);
  constexpr std::string_view kOpen = "[({";
  constexpr std::string_view kClose = "])}";
  const auto bracket = view.empty() ? std::string_view::npos : kOpen.find(view.front());
  if (bracket == std::string_view::npos) return parse_plain(text, view);
  if (nesting == kMaxNesting) refuse(text, "too deeply nested");
  if (view.back() != kClose[bracket]) refuse(text, "a bracket is not closed");
  InputSpec spec;
  spec.kind = bracket == 0   ? InputSpec::Kind::kList
              : bracket == 1 ? InputSpec::Kind::kTuple
                             : InputSpec::Kind::kDict;
  for (std::string_view part : parts_of(text, view.substr(1, view.size() - 2))) {
    if (spec.kind == InputSpec::Kind::kDict) {
      const auto colon = part.find(':');
      if (colon == std::string_view::npos) refuse(text, "an entry of a dict without a key");
      const std::string key(part.substr(0, colon));
      if (std::find(spec.keys.begin(), spec.keys.end(), key) != spec.keys.end()) {
        refuse(text, "a key that is there twice");
      }
      spec.keys.push_back(key);
      part.remove_prefix(colon + 1);
    }
    spec.elements.push_back(parse(text, part, nesting + 1));
  }
  return spec;
}

}  // namespace

InputSpec parse_input_spec(const std::string& text) { return parse(text, text, 0); }

}  // namespace adamec::torchscript
