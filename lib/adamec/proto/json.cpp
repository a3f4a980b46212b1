#include "adamec/proto/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "adamec/base/error.h"

namespace adamec {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// true, false, a number or a text.
struct Scalar {
  enum class Kind { kBool, kNumber, kText };
  Kind kind = Kind::kBool;
  std::string_view text;  // "true", "1.5e3", "what is between the quotes"

  bool is_text() const { return kind == Kind::kText; }
};

std::string described(const Scalar& found) {
  const std::string text = printable(std::string(found.text));
  return found.is_text() ? '"' + text + '"' : text;
}

// The whole text as a number.
template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::optional<bool> to_bool(const Scalar& found) {
  return found.kind == Scalar::Kind::kBool ? std::optional(found.text == "true") : std::nullopt;
}

std::optional<double> to_double(const Scalar& found) {
  if (found.kind == Scalar::Kind::kBool) return std::nullopt;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (found.is_text()) {
    if (found.text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (found.text == "Infinity") return kInfinity;
    if (found.text == "-Infinity") return -kInfinity;
  }
  const auto number = number_in<double>(found.text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

// A whole number that the type can hold.
template <typename Integer>
std::optional<Integer> to_integer(const Scalar& found) {
  if (found.kind == Scalar::Kind::kBool) return std::nullopt;
  if (auto number = number_in<Integer>(found.text)) return number;
  const auto number = to_double(found);  // 1e6
  using Limits = std::numeric_limits<Integer>;
  const double end = std::ldexp(1.0, Limits::digits);  // one more than the largest
  if (!number || !(*number >= static_cast<double>(Limits::min()) && *number < end) ||
      std::trunc(*number) != *number) {
    return std::nullopt;
  }
  return static_cast<Integer>(*number);
}

const google::protobuf::EnumValueDescriptor* to_enum(const Scalar& found,
                                                     const EnumDescriptor& type) {
  if (found.is_text()) return type.FindValueByName(std::string(found.text));
  const auto number = to_integer<std::int32_t>(found);
  return number ? type.FindValueByNumber(*number) : nullptr;
}

std::string expected(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_STRING:
      return "a string";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "an object";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return "a whole number that is not negative";
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number";
    case FieldDescriptor::CPPTYPE_ENUM:
      break;
  }
  std::vector<std::string> names;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    names.push_back(field.enum_type()->value(i)->name());
  }
  return fmt::format("one of {}", fmt::join(names, ", "));
}

// Fills a message with what RapidJSON's reader comes across.
class MessageReader {
 public:
  explicit MessageReader(Message& message) : root_(message) {}

  // What the reader calls, by names it prescribes; true: it shall go on.
  // NOLINTBEGIN(readability-identifier-naming)
  bool Null() {
    if (objects_.empty() || objects_.back().index >= 0) fail_here("null");
    return true;  // as if the key were not there
  }
  bool Bool(bool value) { return scalar({Scalar::Kind::kBool, value ? "true" : "false"}); }
  bool RawNumber(const char* text, unsigned length, bool) {
    return scalar({Scalar::Kind::kNumber, {text, length}});
  }
  bool String(const char* text, unsigned length, bool) {
    return scalar({Scalar::Kind::kText, {text, length}});
  }
  bool StartObject() {
    if (objects_.empty()) {
      objects_.push_back({&root_});
      return true;
    }
    const FieldDescriptor& field = taking("an object");
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) fail_here("an object");
    Message* message = objects_.back().message;
    const Reflection* reflection = message->GetReflection();
    objects_.push_back({field.is_repeated() ? reflection->AddMessage(message, &field)
                                            : reflection->MutableMessage(message, &field)});
    return true;
  }
  bool Key(const char* text, unsigned length, bool) {
    Object& object = objects_.back();
    const auto* type = object.message->GetDescriptor();
    name_.assign(text, length);
    object.field = nullptr;
    const FieldDescriptor* field = type->FindFieldByName(name_);
    if (field == nullptr) field = type->FindFieldByCamelcaseName(name_);
    if (field == nullptr) fail("{}unknown key '{}'", prefix(), printable(name_));
    object.seen.resize(static_cast<std::size_t>(type->field_count()));
    if (object.seen[static_cast<std::size_t>(field->index())]) {
      fail("{}key '{}' twice", prefix(), printable(name_));
    }
    object.seen[static_cast<std::size_t>(field->index())] = true;
    object.field = field;
    return true;
  }
  bool EndObject(unsigned) {
    objects_.pop_back();
    return taken();
  }
  bool StartArray() {
    if (objects_.empty() || objects_.back().index >= 0 || !objects_.back().field->is_repeated()) {
      fail_here("a list");
    }
    objects_.back().index = 0;
    return true;
  }
  bool EndArray(unsigned) {
    objects_.back().index = -1;
    return true;
  }
  // Numbers come as texts.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  // NOLINTEND(readability-identifier-naming)

 private:
  struct Object {
    Message* message = nullptr;
    const FieldDescriptor* field = nullptr;  // whose value comes next
    int index = -1;                          // of the next element of its list; -1: outside
    std::vector<bool> seen{};                // the fields whose keys were there
  };

  // "atoms[3].latency_ms[0]"
  std::string place() const {
    std::string text;
    for (const Object& object : objects_) {
      if (object.field == nullptr) break;
      if (!text.empty()) text += '.';
      text += object.field->name();
      if (object.index >= 0) text += fmt::format("[{}]", object.index);
    }
    return text;
  }

  std::string prefix() const { return objects_.size() == 1 ? "" : place() + ": "; }

  [[noreturn]] void fail_here(const std::string& found) const {
    if (objects_.empty()) fail("{}, expected an object", printable(found));
    const Object& object = objects_.back();
    const bool list = object.field->is_repeated() && object.index < 0;
    fail("{}: {}, expected {}", place(), printable(found),
         list ? "a list" : expected(*object.field));
  }

  // The field that takes what was found.
  const FieldDescriptor& taking(const std::string& found) const {
    if (objects_.empty()) fail_here(found);
    const Object& object = objects_.back();
    if (object.field->is_repeated() != (object.index >= 0)) fail_here(found);
    return *object.field;
  }
  bool taken() {
    if (!objects_.empty() && objects_.back().index >= 0) ++objects_.back().index;
    return true;
  }

  bool scalar(const Scalar& found) {
    if (objects_.empty()) fail_here(described(found));
    const Object& object = objects_.back();
    const FieldDescriptor* field = object.field;
    if (field->is_repeated() != (object.index >= 0) || !set(*object.message, *field, found)) {
      fail_here(described(found));
    }
    return taken();
  }

  // False: the field is of another type.
  static bool set(Message& message, const FieldDescriptor& field, const Scalar& found);

  Message& root_;
  std::vector<Object> objects_;  // from the message itself to the innermost one
  std::string name_;             // of the last key
};

bool MessageReader::set(Message& message, const FieldDescriptor& field, const Scalar& found) {
  const Reflection* reflection = message.GetReflection();
  const auto put = [&](const auto& value, auto add, auto assign) {
    if (!value) return false;
    field.is_repeated() ? (reflection->*add)(&message, &field, *value)
                        : (reflection->*assign)(&message, &field, *value);
    return true;
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return put(to_bool(found), &Reflection::AddBool, &Reflection::SetBool);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return put(to_double(found), &Reflection::AddDouble, &Reflection::SetDouble);
    case FieldDescriptor::CPPTYPE_UINT32:
      return put(to_integer<std::uint32_t>(found), &Reflection::AddUInt32, &Reflection::SetUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return put(to_integer<std::uint64_t>(found), &Reflection::AddUInt64, &Reflection::SetUInt64);
    case FieldDescriptor::CPPTYPE_INT32:
      return put(to_integer<std::int32_t>(found), &Reflection::AddInt32, &Reflection::SetInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return put(to_integer<std::int64_t>(found), &Reflection::AddInt64, &Reflection::SetInt64);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = to_enum(found, *field.enum_type());
      return put(value == nullptr ? std::nullopt : std::optional(value), &Reflection::AddEnum,
                 &Reflection::SetEnum);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      if (!found.is_text() || field.type() == FieldDescriptor::TYPE_BYTES) return false;
      std::string text(found.text);
      field.is_repeated() ? reflection->AddString(&message, &field, std::move(text))
                          : reflection->SetString(&message, &field, std::move(text));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

void parse_json(const std::string& text, Message& message) {
  // Not recursive, whatever the depth; numbers are converted above, exactly.
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  MessageReader handler(message);
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  const auto result = reader.Parse<kFlags>(stream, handler);
  const bool ended = stream.Tell() == text.size();  // not so at a NUL
  if (!result.IsError() && ended) return;
  const std::string_view before(text.data(), std::min(reader.GetErrorOffset(), text.size()));
  const std::string_view read =
      result.IsError() ? before : std::string_view(text.data(), stream.Tell());
  const auto line = std::count(read.begin(), read.end(), '\n') + 1;
  const auto column = read.size() - (read.rfind('\n') + 1) + 1;  // npos + 1 is 0
  fail("line {}, column {}: {}", line, column,
       result.IsError() ? rapidjson::GetParseError_En(result.Code()) : "a zero byte");
}

}  // namespace adamec
