#include "adamec/torchscript/split/whole_model.h"

#include "adamec/base/error.h"
#include "adamec/torchscript/cut/atom_module.h"

namespace adamec::torchscript {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// The argument as TorchScript source; tensors become parameters x0, x1, ...
std::string argument_source(const v1::Value& value, int& tensors) {
  const auto join = [&](const v1::Value::Items& items, bool keyed) {
    std::string text;
    for (int i = 0; i < items.items_size(); ++i) {
      if (i > 0) text += ", ";
      if (keyed) text += quoted(items.keys(i)) + ": ";
      text += argument_source(items.items(i), tensors);
    }
    return text;
  };
  switch (value.kind_case()) {
    case v1::Value::kTensor:
      return fmt::format("x{}", tensors++);
    case v1::Value::kIntValue:
      return fmt::format("{}", value.int_value());
    case v1::Value::kFloatValue:
      return fmt::format("float(\"{}\")", value.float_value());
    case v1::Value::kBoolValue:
      return value.bool_value() ? "True" : "False";
    case v1::Value::kStringValue:
      return quoted(value.string_value());
    case v1::Value::kTuple:
      return "(" + join(value.tuple(), false) + ",)";
    case v1::Value::kList:
      return "[" + join(value.list(), false) + "]";
    case v1::Value::kDict:
      return "{" + join(value.dict(), true) + "}";
    default:
      return "None";
  }
}

// Takes a result apart: `source` is the expression for it.
v1::Value take_apart(const c10::IValue& result, const std::string& source,
                     const std::string& prefix, std::vector<std::string>& sources,
                     std::vector<at::Tensor>& tensors) {
  v1::Value value;
  if (result.isTensor()) {
    value.set_tensor(fmt::format("{}:{}", prefix, sources.size()));
    sources.push_back(source);
    tensors.push_back(result.toTensor());
  } else if (result.isTuple() || result.isList()) {
    const bool tuple = result.isTuple();
    auto* items = tuple ? value.mutable_tuple() : value.mutable_list();
    const auto& elements = tuple ? result.toTupleRef().elements().vec() : result.toListRef().vec();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      *items->add_items() =
          take_apart(elements[i], fmt::format("{}[{}]", source, i), prefix, sources, tensors);
    }
  } else if (result.isGenericDict()) {
    value.mutable_dict();
    for (const auto& entry : result.toGenericDict()) {
      if (!entry.key().isString()) {
        fail("unsupported output: a dict whose keys are no strings; return one with names as keys");
      }
      const std::string& key = entry.key().toStringRef();
      value.mutable_dict()->add_keys(key);
      *value.mutable_dict()->add_items() = take_apart(
          entry.value(), fmt::format("{}[{}]", source, quoted(key)), prefix, sources, tensors);
    }
  } else if (result.isInt() || result.isDouble() || result.isBool()) {
    value.set_number(fmt::format("{}:{}", prefix, sources.size()));
    const at::ScalarType dtype = result.isInt()      ? at::kLong
                                 : result.isDouble() ? at::kDouble
                                                     : at::kBool;
    sources.push_back(fmt::format("torch.tensor({}, dtype={})", source, static_cast<int>(dtype)));
    tensors.push_back(at::scalar_tensor(result.toScalar(), dtype));
  } else if (result.isNone()) {
    value.set_none(true);
  } else {
    fail(
        "unsupported output: the model returns a {}, expected tensors and numbers; return it as a "
        "tensor, or cut another --method",
        printable(result.type()->repr_str()));
  }
  return value;
}

}  // namespace

WholeModel keep_whole(const jit::Module& module, const std::string& method,
                      const v1::Manifest& inputs, const c10::IValue& returned,
                      const std::string& prefix) {
  const at::NoGradGuard no_grad;
  WholeModel whole;
  std::vector<std::string> sources;
  whole.output = take_apart(returned, "o", prefix, sources, whole.results);
  if (sources.empty()) {
    fail("unsupported output: the model returns no tensor; cut another --method");
  }

  int tensors = 0;
  std::string call;
  for (const v1::Input& input : inputs.inputs()) {
    call += (call.empty() ? "" : ", ") + argument_source(input.value(), tensors);
  }
  std::string source = "def forward(self";
  for (int i = 0; i < tensors; ++i) source += fmt::format(", x{}: Tensor", i);
  source +=
      fmt::format("):\n  o = self.model.{}({})\n  return {}\n", method, call,
                  sources.size() == 1 ? sources[0] : fmt::format("({})", fmt::join(sources, ", ")));
  jit::Module wrapper(c10::QualifiedName("__torch__.adamec.Atom"));
  wrapper.register_module("model", module);
  wrapper.define(source);
  whole.record = module_record(wrapper);
  return whole;
}

}  // namespace adamec::torchscript
