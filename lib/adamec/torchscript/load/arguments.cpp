#include "adamec/torchscript/load/arguments.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/torchscript/input_spec/input_spec.h"
#include "adamec/torchscript/load/pickle_marks.h"
#include "adamec/torchscript/run/dtype.h"
#include "adamec/torchscript/run/message.h"

namespace adamec::torchscript {
namespace {

at::Tensor random_tensor(const InputSpec& spec, at::Generator& generator) {
  const c10::ScalarType type = to_scalar_type(spec.dtype);
  if (c10::isFloatingType(type) || c10::isComplexType(type)) {
    const auto drawn = at::randn(spec.shape, generator, at::TensorOptions(at::kFloat));
    return drawn.to(type);
  }
  const std::int64_t bound = spec.bound > 0 ? spec.bound : 2;
  return at::randint(0, bound, spec.shape, generator, at::TensorOptions(at::kLong)).to(type);
}

c10::IValue example_value(const InputSpec& spec, at::Generator& generator) {
  std::vector<c10::IValue> parts;
  for (const InputSpec& element : spec.elements) parts.push_back(example_value(element, generator));
  switch (spec.kind) {
    case InputSpec::Kind::kInt:
      return spec.int_value;
    case InputSpec::Kind::kFloat:
      return spec.float_value;
    case InputSpec::Kind::kBool:
      return spec.bool_value;
    case InputSpec::Kind::kString:
      return spec.string_value;
    case InputSpec::Kind::kNone:
      return {};
    case InputSpec::Kind::kTuple:
      return c10::ivalue::Tuple::create(std::move(parts));
    case InputSpec::Kind::kList: {
      c10::impl::GenericList list(c10::AnyType::get());
      for (const c10::IValue& part : parts) list.push_back(part);
      return list;
    }
    case InputSpec::Kind::kDict: {
      c10::impl::GenericDict dict(c10::AnyType::get(), c10::AnyType::get());
      for (std::size_t i = 0; i < parts.size(); ++i) dict.insert(spec.keys[i], parts[i]);
      return dict;
    }
    case InputSpec::Kind::kTensor:
      break;
  }
  return random_tensor(spec, generator);
}

// What torch.save wrote: a zip file with the pickle and a record for each tensor's memory.
c10::IValue read_saved(const std::string& bytes) {
  std::istringstream stream(bytes);
  caffe2::serialize::PyTorchStreamReader reader(&stream);
  const auto [data, size] = reader.getRecord("data.pkl");
  const std::string pickle = with_marks({static_cast<const char*>(data.get()), size});
  std::size_t at = 0;
  const auto read = [&](char* buffer, std::size_t count) {
    count = std::min(count, pickle.size() - at);
    std::memcpy(buffer, pickle.data() + at, count);
    at += count;
    return count;
  };
  const auto read_record = [&](const std::string& name) {
    return std::get<0>(reader.getRecord("data/" + name));
  };
  return jit::Unpickler(read, nullptr, nullptr, read_record, c10::Device(c10::kCPU)).parse_ivalue();
}

std::vector<c10::IValue> read_arguments(const std::string& path) {
  const std::string bytes = read_file(path);
  c10::IValue value;
  try {
    value = read_saved(bytes);
  } catch (const std::exception& error) {
    fail("{}: not a file of inputs written by torch.save: {}", path, reason_of(error));
  }
  if (!value.isTuple()) return {value};
  return value.toTupleRef().elements().vec();
}

// Files of torch.save and specifications do not say what their lists and dicts hold; the model's
// parameters do.
c10::IValue typed(const c10::IValue& value, const c10::TypePtr& type) {
  if (type->kind() == c10::TypeKind::OptionalType && !value.isNone()) {
    return typed(value, type->expectRef<c10::OptionalType>().getElementType());
  }
  if (value.isList() && type->kind() == c10::TypeKind::ListType) {
    const auto element = type->expectRef<c10::ListType>().getElementType();
    c10::impl::GenericList list(element);
    for (const c10::IValue& item : value.toListRef()) {
      const c10::IValue part = typed(item, element);
      if (!part.type()->isSubtypeOf(*element)) return value;
      list.push_back(part);
    }
    return list;
  }
  if (value.isGenericDict() && type->kind() == c10::TypeKind::DictType) {
    const auto& dict_type = type->expectRef<c10::DictType>();
    c10::impl::GenericDict dict(dict_type.getKeyType(), dict_type.getValueType());
    for (const auto& entry : value.toGenericDict()) {
      const c10::IValue part = typed(entry.value(), dict_type.getValueType());
      if (!entry.key().type()->isSubtypeOf(*dict_type.getKeyType()) ||
          !part.type()->isSubtypeOf(*dict_type.getValueType())) {
        return value;
      }
      dict.insert_or_assign(entry.key(), part);
    }
    return dict;
  }
  if (value.isTuple() && type->kind() == c10::TypeKind::TupleType) {
    const auto& elements = value.toTupleRef().elements();
    const auto types = type->expectRef<c10::TupleType>().elements();
    if (elements.size() != types.size()) return value;
    std::vector<c10::IValue> parts;
    for (std::size_t i = 0; i < types.size(); ++i) parts.push_back(typed(elements[i], types[i]));
    const auto tuple_type = type->cast<c10::TupleType>();
    if (tuple_type->schema()) return c10::ivalue::Tuple::createNamed(std::move(parts), tuple_type);
    return c10::ivalue::Tuple::create(std::move(parts));
  }
  return value;
}

std::string parameter_list(const c10::FunctionSchema& schema) {
  std::string text;
  for (std::size_t i = 1; i < schema.arguments().size(); ++i) {
    const auto& argument = schema.arguments()[i];
    text +=
        fmt::format("{}{}: {}", i > 1 ? ", " : "", argument.name(), argument.type()->repr_str());
  }
  return text.empty() ? "nothing" : text;
}

std::string method_list(const jit::Module& module) {
  std::string text;
  for (const auto& method : module.get_methods()) {
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", printable(method.name(), 100));
  }
  return text.empty() ? "nothing: it has no methods" : printable(text, 400);
}

}  // namespace

std::vector<c10::IValue> example_arguments(const jit::Module& module, const std::string& method,
                                           const std::vector<std::string>& specs,
                                           const std::string& inputs_from, std::uint64_t seed) {
  const auto found = module.find_method(method);
  if (!found) {
    fail_with(ErrorKind::kUsage, "the model has no method '{}'; --method takes {}",
              printable(method), method_list(module));
  }
  const c10::FunctionSchema& schema = found->function().getSchema();
  std::vector<c10::IValue> arguments;
  if (!inputs_from.empty()) {
    arguments = read_arguments(inputs_from);
  } else {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    for (const std::string& text : specs) {
      arguments.push_back(example_value(parse_input_spec(text), generator));
    }
  }
  const std::size_t parameters = schema.arguments().size() - 1;
  for (std::size_t i = arguments.size(); i < parameters; ++i) {
    const auto& value = schema.arguments()[i + 1].default_value();
    if (!value.has_value()) break;
    arguments.push_back(*value);
  }
  if (arguments.size() != parameters) {
    fail("{} inputs given, but {} takes {}: {}", arguments.size(), method, parameters,
         printable(parameter_list(schema), 400));
  }
  for (std::size_t i = 0; i < parameters; ++i) {
    const auto& argument = schema.arguments()[i + 1];
    arguments[i] = typed(arguments[i], argument.type());
    if (!arguments[i].type()->isSubtypeOf(*argument.type())) {
      fail("input {} ('{}') is a {}, but the model takes a {}", i + 1, argument.name(),
           arguments[i].type()->repr_str(), argument.type()->repr_str());
    }
  }
  return arguments;
}

}  // namespace adamec::torchscript
