#include "adamec/torchscript/run/execute.h"

#include <cstring>
#include <limits>

#include "adamec/base/error.h"
#include "adamec/proto/tensor_type.h"
#include "adamec/torchscript/run/dtype.h"
#include "adamec/torchscript/run/message.h"
#include "adamec/torchscript/run/record.h"

namespace adamec::torchscript {
namespace {

constexpr int kAlways = std::numeric_limits<int>::max();

// Compares the parts of a value with what the manifest says they are.
std::string compare(const v1::Value& value, const c10::IValue& expected, const std::string& where,
                    const std::unordered_map<std::string, at::Tensor>& tensors);

std::string compare_items(const v1::Value::Items& items, const std::vector<c10::IValue>& expected,
                          const std::string& where,
                          const std::unordered_map<std::string, at::Tensor>& tensors) {
  if (static_cast<std::size_t>(items.items_size()) != expected.size()) {
    return fmt::format("{} has {} elements instead of {}", where, items.items_size(),
                       expected.size());
  }
  for (int i = 0; i < items.items_size(); ++i) {
    const std::string part =
        fmt::format("{}[{}]", where, items.keys_size() > i ? items.keys(i) : std::to_string(i));
    std::string difference = compare(items.items(i), expected[i], part, tensors);
    if (!difference.empty()) return difference;
  }
  return "";
}

std::string compare(const v1::Value& value, const c10::IValue& expected, const std::string& where,
                    const std::unordered_map<std::string, at::Tensor>& tensors) {
  const auto differs = [&](bool same) { return same ? "" : where + " differs"; };
  switch (value.kind_case()) {
    case v1::Value::kTensor:
    case v1::Value::kConstant: {
      const std::string& id = value.has_tensor() ? value.tensor() : value.constant();
      return differs(expected.isTensor() && bit_identical(tensors.at(id), expected.toTensor()));
    }
    case v1::Value::kNumber: {
      const at::Tensor& number = tensors.at(value.number());
      const bool same_type = (expected.isInt() && number.scalar_type() == at::kLong) ||
                             (expected.isDouble() && number.scalar_type() == at::kDouble) ||
                             (expected.isBool() && number.scalar_type() == at::kBool);
      return differs(
          same_type && number.dim() == 0 &&
          bit_identical(number, at::scalar_tensor(expected.toScalar(), number.scalar_type())));
    }
    case v1::Value::kIntValue:
      return differs(expected.isInt() && expected.toInt() == value.int_value());
    case v1::Value::kFloatValue: {
      if (!expected.isDouble()) return differs(false);
      const double a = expected.toDouble();
      const double b = value.float_value();
      return differs(std::memcmp(&a, &b, sizeof a) == 0);
    }
    case v1::Value::kBoolValue:
      return differs(expected.isBool() && expected.toBool() == value.bool_value());
    case v1::Value::kStringValue:
      return differs(expected.isString() && expected.toStringRef() == value.string_value());
    case v1::Value::kTuple:
      if (!expected.isTuple()) return differs(false);
      return compare_items(value.tuple(), expected.toTupleRef().elements().vec(), where, tensors);
    case v1::Value::kList:
      if (!expected.isList()) return differs(false);
      return compare_items(value.list(), expected.toListRef().vec(), where, tensors);
    case v1::Value::kDict: {
      if (!expected.isGenericDict()) return differs(false);
      std::vector<c10::IValue> elements;
      for (const auto& entry : expected.toGenericDict()) elements.push_back(entry.value());
      return compare_items(value.dict(), elements, where, tensors);
    }
    default:
      return differs(expected.isNone());
  }
}

}  // namespace

bool bit_identical(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  if (a.is_quantized() != b.is_quantized()) return false;
  if (a.is_quantized()) {
    if (a.qscheme() != b.qscheme()) return false;
    const bool per_tensor = a.qscheme() == at::kPerTensorAffine;
    if (per_tensor && (a.q_scale() != b.q_scale() || a.q_zero_point() != b.q_zero_point())) {
      return false;
    }
    if (!per_tensor && (!a.q_per_channel_scales().equal(b.q_per_channel_scales()) ||
                        !a.q_per_channel_zero_points().equal(b.q_per_channel_zero_points()))) {
      return false;
    }
    return bit_identical(a.int_repr(), b.int_repr());
  }
  const at::Tensor left = a.contiguous();
  const at::Tensor right = b.contiguous();
  return left.nbytes() == 0 || std::memcmp(left.data_ptr(), right.data_ptr(), left.nbytes()) == 0;
}

AtomExecutor::AtomExecutor(const v1::Manifest& manifest, ReadRecord read, bool keep_modules)
    : manifest_(manifest), read_(std::move(read)), keep_modules_(keep_modules) {
  for (const v1::Tensor& tensor : manifest.tensors()) described_[tensor.id()] = &tensor;
  for (int i = 0; i < manifest.atoms_size(); ++i) {
    for (const std::string& input : manifest.atoms(i).inputs()) last_use_[input] = i;
  }
  hold(manifest.output());
  for (const v1::Tensor& tensor : manifest.tensors()) {
    if (tensor.role() == v1::STATE) last_use_[tensor.next()] = kAlways;
  }
}

void AtomExecutor::hold(const v1::Value& value) {
  if (value.has_tensor()) last_use_[value.tensor()] = kAlways;
  if (value.has_constant()) last_use_[value.constant()] = kAlways;
  if (value.has_number()) last_use_[value.number()] = kAlways;
  for (const v1::Value& item : value.tuple().items()) hold(item);
  for (const v1::Value& item : value.list().items()) hold(item);
  for (const v1::Value& item : value.dict().items()) hold(item);
}

// Arguments that are no tensors are assumptions that the atoms were made under; so are types and
// shapes.
void AtomExecutor::bind_input(const v1::Value& value, const c10::IValue& argument,
                              const std::string& where) {
  const auto expect = [&](bool good) {
    if (!good) fail("{} is another than the archive was cut for", where);
  };
  const auto bind_items = [&](const v1::Value::Items& items, const auto& elements) {
    expect(static_cast<std::size_t>(items.items_size()) == elements.size());
    for (int i = 0; i < items.items_size(); ++i) {
      bind_input(items.items(i), elements[i], fmt::format("{}[{}]", where, i));
    }
  };
  if (value.has_tensor()) {
    expect(argument.isTensor());
    const at::Tensor tensor = argument.toTensor();
    const v1::TensorType& type = described_.at(value.tensor())->type();
    std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
    for (const v1::OpenSize& open : described_.at(value.tensor())->open_sizes()) {
      if (static_cast<std::int64_t>(open.dimension()) >= tensor.dim()) continue;
      const std::int64_t size = tensor.size(open.dimension());
      shape[open.dimension()] = open_sizes_.emplace(open.name(), size).first->second;
    }
    if (to_dtype(tensor.scalar_type()) != type.dtype() || tensor.sizes() != shape) {
      fail("{} is a {}[{}], the archive was cut for {}", where, c10::toString(tensor.scalar_type()),
           fmt::join(tensor.sizes(), ","), tensor_type_text(type));
    }
    tensors_[value.tensor()] = tensor;
  } else if (value.has_tuple()) {
    expect(argument.isTuple());
    bind_items(value.tuple(), argument.toTupleRef().elements());
  } else if (value.has_list()) {
    expect(argument.isList());
    bind_items(value.list(), argument.toListRef());
  } else if (value.has_dict()) {
    expect(argument.isGenericDict());
    std::vector<c10::IValue> elements;
    for (const auto& entry : argument.toGenericDict()) elements.push_back(entry.value());
    bind_items(value.dict(), elements);
  } else {
    expect(compare(value, argument, where, tensors_).empty());
  }
}

void AtomExecutor::keep_state() {
  for (const v1::Tensor& tensor : manifest_.tensors()) {
    if (tensor.role() == v1::STATE) state_[tensor.id()] = tensors_.at(tensor.next());
  }
}

void AtomExecutor::run(const std::vector<c10::IValue>& arguments, const AroundAtom& around,
                       const OnTensor& on_tensor) {
  const at::NoGradGuard no_grad;
  tensors_.clear();
  open_sizes_.clear();
  for (int i = 0; i < manifest_.inputs_size(); ++i) {
    bind_input(manifest_.inputs(i).value(), arguments.at(i),
               fmt::format("input '{}'", manifest_.inputs(i).name()));
  }
  for (const v1::Tensor& tensor : manifest_.tensors()) {
    if (tensor.role() == v1::STATE && state_.count(tensor.id()) != 0) {
      tensors_[tensor.id()] = state_.at(tensor.id());
    } else if (tensor.role() == v1::WEIGHT || tensor.role() == v1::STATE) {
      tensors_[tensor.id()] = load_record(read_(tensor.record())).forward({}).toTensor();
    }
  }
  for (int i = 0; i < manifest_.atoms_size(); ++i) {
    const v1::Atom& atom = manifest_.atoms(i);
    try {
      auto module = modules_.find(atom.id());
      if (module == modules_.end()) {
        module = modules_.emplace(atom.id(), load_record(read_(atom.record()))).first;
      }
      std::vector<c10::IValue> inputs;
      for (const std::string& input : atom.inputs()) inputs.emplace_back(tensors_.at(input));
      c10::IValue result;
      const auto forward = [&] { result = module->second.forward(inputs); };
      around ? around(i, forward) : forward();
      if (atom.outputs_size() == 1) {
        tensors_[atom.outputs(0)] = result.toTensor();
      } else {
        for (int k = 0; k < atom.outputs_size(); ++k) {
          tensors_[atom.outputs(k)] = result.toTupleRef().elements().at(k).toTensor();
        }
      }
      for (const std::string& output : atom.outputs()) {
        if (on_tensor) on_tensor(output, tensors_.at(output));
      }
      if (!keep_modules_) modules_.erase(module);
    } catch (const std::exception& error) {
      throw BrokenAtom(ErrorKind::kFailed,
                       fmt::format("atom '{}' does not run: {}", atom.id(), first_line(error)));
    }
    for (const std::string& input : atom.inputs()) {
      if (last_use_.at(input) == i) tensors_.erase(input);
    }
  }
  keep_state();
}

std::string AtomExecutor::difference(const c10::IValue& expected) const {
  return compare(manifest_.output(), expected, "output", tensors_);
}

}  // namespace adamec::torchscript
