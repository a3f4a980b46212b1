#include "adamec/torchscript/split/literal.h"

#include <charconv>
#include <vector>

#include "adamec/base/error.h"

namespace adamec::torchscript {
namespace {

template <typename Number>
Number number_of(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail("'{}' is not a number", printable(text));
  }
  return number;
}

std::vector<std::string> list_items(const std::string& text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    fail("'{}' is not a list", printable(text));
  }
  std::vector<std::string> items;
  std::string rest = text.substr(1, text.size() - 2);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(", ");
    items.push_back(rest.substr(0, comma));
    rest = comma == std::string::npos ? "" : rest.substr(comma + 2);
  }
  return items;
}

}  // namespace

c10::IValue parse_literal(const std::string& text, const c10::TypePtr& type) {
  if (const auto optional = type->cast<c10::OptionalType>()) {
    return text == "None" ? c10::IValue() : parse_literal(text, optional->getElementType());
  }
  switch (type->kind()) {
    case c10::TypeKind::BoolType:
      return text == "true";
    case c10::TypeKind::FloatType:
      return number_of<double>(text);
    case c10::TypeKind::StringType:
      return text;
    case c10::TypeKind::NumberType:
      if (text.find_first_of(".en") == std::string::npos) return number_of<std::int64_t>(text);
      return number_of<double>(text);
    case c10::TypeKind::ListType: {
      const c10::TypePtr element = type->expectRef<c10::ListType>().getElementType();
      c10::impl::GenericList list(element);
      // One number may stand for a list of equal ones.
      if (text.empty() || text.front() != '[') {
        list.push_back(parse_literal(text, element));
      } else {
        for (const std::string& item : list_items(text)) {
          list.push_back(parse_literal(item, element));
        }
      }
      return list;
    }
    default:  // int, and what is passed as one: dtypes, layouts
      return number_of<std::int64_t>(text);
  }
}

}  // namespace adamec::torchscript
