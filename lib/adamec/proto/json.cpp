#include "adamec/proto/json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "adamec/base/error.h"

namespace adamec {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::json;

// The whole text as a number.
template <typename Number>
std::optional<Number> number_in(const std::string& text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

std::optional<double> to_double(const json& found) {
  if (found.is_number()) return found.get<double>();
  if (!found.is_string()) return std::nullopt;
  const auto& text = found.get_ref<const std::string&>();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return kInfinity;
  if (text == "-Infinity") return -kInfinity;
  const auto number = number_in<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

// A whole number that the type can hold.
template <typename Integer>
std::optional<Integer> to_integer(const json& found) {
  if (found.is_number_unsigned()) {
    const auto number = found.get<std::uint64_t>();
    return std::in_range<Integer>(number) ? std::optional(static_cast<Integer>(number))
                                          : std::nullopt;
  }
  if (found.is_number_integer()) {
    const auto number = found.get<std::int64_t>();
    return std::in_range<Integer>(number) ? std::optional(static_cast<Integer>(number))
                                          : std::nullopt;
  }
  if (found.is_string()) {
    if (auto number = number_in<Integer>(found.get_ref<const std::string&>())) return number;
  }
  const auto number = to_double(found);
  using Limits = std::numeric_limits<Integer>;
  const double end = std::ldexp(1.0, Limits::digits);  // one more than the largest
  if (!number || !(*number >= static_cast<double>(Limits::min()) && *number < end) ||
      std::trunc(*number) != *number) {
    return std::nullopt;
  }
  return static_cast<Integer>(*number);
}

const google::protobuf::EnumValueDescriptor* to_enum(const json& found,
                                                     const EnumDescriptor& type) {
  if (found.is_string()) return type.FindValueByName(found.get_ref<const std::string&>());
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

// Fills a message with what nlohmann's parser comes across.
class MessageReader : public nlohmann::json_sax<json> {
 public:
  explicit MessageReader(Message& message) : root_(message) {}

  bool null() override {
    if (objects_.empty() || objects_.back().index >= 0) fail_here("null");
    return true;  // as if the key were not there
  }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(number_integer_t value) override { return scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(value); }
  bool number_float(number_float_t value, const string_t&) override { return scalar(value); }
  bool string(string_t& value) override { return scalar(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in texts

  bool start_object(std::size_t) override {
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
  bool key(string_t& name) override {
    Object& object = objects_.back();
    const auto* type = object.message->GetDescriptor();
    object.field = nullptr;
    const FieldDescriptor* field = type->FindFieldByName(name);
    if (field == nullptr) field = type->FindFieldByCamelcaseName(name);
    const std::string where = objects_.size() == 1 ? "" : place() + ": ";
    if (field == nullptr) fail("{}unknown key '{}'", where, printable(name));
    object.seen.resize(static_cast<std::size_t>(type->field_count()));
    if (object.seen[static_cast<std::size_t>(field->index())]) {
      fail("{}key '{}' twice", where, printable(name));
    }
    object.seen[static_cast<std::size_t>(field->index())] = true;
    object.field = field;
    return true;
  }
  bool end_object() override {
    objects_.pop_back();
    return taken();
  }
  bool start_array(std::size_t) override {
    if (objects_.empty() || objects_.back().index >= 0 || !objects_.back().field->is_repeated()) {
      fail_here("a list");
    }
    objects_.back().index = 0;
    return true;
  }
  bool end_array() override {
    objects_.back().index = -1;
    return true;
  }
  // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ..."
  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    const std::string text = error.what();
    const auto start = text.find("] ");
    fail("{}", printable(start == std::string::npos ? text : text.substr(start + 2), 200));
  }

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

  bool scalar(json found) {
    if (objects_.empty()) fail_here(found.dump());
    const Object& object = objects_.back();
    const FieldDescriptor* field = object.field;
    if (field->is_repeated() != (object.index >= 0) || !set(*object.message, *field, found)) {
      fail_here(found.dump(-1, ' ', false, json::error_handler_t::replace));
    }
    return taken();
  }

  // False: the field is of another type.
  static bool set(Message& message, const FieldDescriptor& field, json& found);

  Message& root_;
  std::vector<Object> objects_;  // from the message itself to the innermost one
};

bool MessageReader::set(Message& message, const FieldDescriptor& field, json& found) {
  const Reflection* reflection = message.GetReflection();
  const auto put = [&](const auto& value, auto add, auto assign) {
    if (!value) return false;
    field.is_repeated() ? (reflection->*add)(&message, &field, *value)
                        : (reflection->*assign)(&message, &field, *value);
    return true;
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return put(found.is_boolean() ? std::optional(found.get<bool>()) : std::nullopt,
                 &Reflection::AddBool, &Reflection::SetBool);
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
      if (!found.is_string() || field.type() == FieldDescriptor::TYPE_BYTES) return false;
      auto& text = found.get_ref<std::string&>();
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
  MessageReader reader(message);
  json::sax_parse(text, &reader);
}

}  // namespace adamec
