#include "adamec/torchscript/run/execute.h"

#include <cstring>
#include <limits>
#include <optional>
#include <utility>

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

// The parts of a tuple, list or dict, those of a dict in the order of the manifest's keys. Nothing
// when it is another kind of thing, or a dict with other keys.
std::optional<std::vector<c10::IValue>> parts_of(const v1::Value& value, const c10::IValue& whole) {
  if (value.has_tuple() && whole.isTuple()) return whole.toTupleRef().elements().vec();
  if (value.has_list() && whole.isList()) return whole.toListRef().vec();
  if (!value.has_dict() || !whole.isGenericDict()) return std::nullopt;
  const auto dict = whole.toGenericDict();
  if (dict.size() != static_cast<std::size_t>(value.dict().keys_size())) return std::nullopt;
  std::vector<c10::IValue> parts;
  for (const std::string& key : value.dict().keys()) {
    if (!dict.contains(key)) return std::nullopt;
    parts.push_back(dict.at(key));
  }
  return parts;
}

const v1::Value::Items& items_of(const v1::Value& value) {
  return value.has_tuple() ? value.tuple() : value.has_list() ? value.list() : value.dict();
}

std::string part_name(const v1::Value::Items& items, int index, const std::string& whole) {
  return fmt::format("{}[{}]", whole,
                     items.keys_size() > index ? items.keys(index) : std::to_string(index));
}

std::string compare_items(const v1::Value::Items& items, const std::vector<c10::IValue>& expected,
                          const std::string& where,
                          const std::unordered_map<std::string, at::Tensor>& tensors) {
  if (static_cast<std::size_t>(items.items_size()) != expected.size()) {
    return fmt::format("{} has {} elements instead of {}", where, items.items_size(),
                       expected.size());
  }
  for (int i = 0; i < items.items_size(); ++i) {
    std::string difference =
        compare(items.items(i), expected[i], part_name(items, i, where), tensors);
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
    case v1::Value::kList:
    case v1::Value::kDict: {
      const auto parts = parts_of(value, expected);
      return parts ? compare_items(items_of(value), *parts, where, tensors) : differs(false);
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

std::vector<at::Tensor> results_of(const c10::IValue& returned, std::size_t count) {
  if (count == 1) return {returned.toTensor()};
  std::vector<at::Tensor> results;
  for (std::size_t i = 0; i < count; ++i) {
    results.push_back(returned.toTupleRef().elements().at(i).toTensor());
  }
  return results;
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

void AtomExecutor::bind_tensor(const std::string& id, const at::Tensor& tensor,
                               const std::string& where) {
  const v1::Tensor& described = *described_.at(id);
  const v1::TensorType& type = described.type();
  std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
  for (const v1::OpenSize& open : described.open_sizes()) {
    if (static_cast<std::int64_t>(open.dimension()) >= tensor.dim()) continue;
    const std::int64_t size = tensor.size(open.dimension());
    shape[open.dimension()] = open_sizes_.emplace(open.name(), size).first->second;
  }
  if (to_dtype(tensor.scalar_type()) != type.dtype() || tensor.sizes() != shape) {
    fail("{} is a {}[{}], the archive was made for {}", where, c10::toString(tensor.scalar_type()),
         fmt::join(tensor.sizes(), ","), tensor_type_text(type));
  }
  tensors_[id] = tensor;
}

// Arguments that are no tensors are assumptions that the atoms were made under; so are types and
// shapes.
void AtomExecutor::bind_input(const v1::Value& value, const c10::IValue& argument,
                              const std::string& where) {
  const auto expect = [&](bool good) {
    if (!good) fail("{}: differs from the value the archive was made with", where);
  };
  if (value.has_tensor()) {
    expect(argument.isTensor());
    bind_tensor(value.tensor(), argument.toTensor(), where);
  } else if (value.has_tuple() || value.has_list() || value.has_dict()) {
    const auto parts = parts_of(value, argument);
    const v1::Value::Items& items = items_of(value);
    expect(parts && parts->size() == static_cast<std::size_t>(items.items_size()));
    for (int i = 0; i < items.items_size(); ++i) {
      bind_input(items.items(i), parts->at(i), part_name(items, i, where));
    }
  } else {
    expect(compare(value, argument, where, tensors_).empty());
  }
}

void AtomExecutor::bind_inputs(const std::vector<c10::IValue>& arguments) {
  if (arguments.size() != static_cast<std::size_t>(manifest_.inputs_size())) {
    fail("{} arguments given, the archive was made for {}", arguments.size(),
         manifest_.inputs_size());
  }
  for (int i = 0; i < manifest_.inputs_size(); ++i) {
    bind_input(manifest_.inputs(i).value(), arguments[i],
               fmt::format("input '{}'", manifest_.inputs(i).name()));
  }
}

// Shared weights, and state: as the last run left it, or as it is before the first.
void AtomExecutor::load_weights() {
  for (const v1::Tensor& tensor : manifest_.tensors()) {
    if (tensor.role() == v1::STATE && state_.count(tensor.id()) != 0) {
      tensors_[tensor.id()] = state_.at(tensor.id());
    } else if (tensor.role() == v1::WEIGHT || tensor.role() == v1::STATE) {
      tensors_[tensor.id()] = load_record(read_(tensor.record())).forward({}).toTensor();
    }
  }
}

void AtomExecutor::keep_state() {
  for (const v1::Tensor& tensor : manifest_.tensors()) {
    if (tensor.role() == v1::STATE) state_[tensor.id()] = tensors_.at(tensor.next());
  }
}

void AtomExecutor::run_atom(int index, const AroundAtom& around, const OnTensor& on_tensor) {
  const v1::Atom& atom = manifest_.atoms(index);
  auto module = modules_.find(atom.id());
  if (module == modules_.end()) {
    module = modules_.emplace(atom.id(), load_record(read_(atom.record()))).first;
  }
  std::vector<c10::IValue> inputs;
  for (const std::string& input : atom.inputs()) inputs.emplace_back(tensors_.at(input));
  c10::IValue returned;
  const auto forward = [&] { returned = module->second.forward(inputs); };
  around ? around(index, forward) : forward();
  std::vector<at::Tensor> results =
      results_of(returned, static_cast<std::size_t>(atom.outputs_size()));
  for (int k = 0; k < atom.outputs_size(); ++k) {
    if (on_tensor) on_tensor(atom.outputs(k), results[k]);
    tensors_[atom.outputs(k)] = std::move(results[k]);
  }
  if (!keep_modules_) modules_.erase(module);
}

void AtomExecutor::run(const std::vector<c10::IValue>& arguments, const AroundAtom& around,
                       const OnTensor& on_tensor) {
  const at::NoGradGuard no_grad;
  tensors_.clear();
  open_sizes_.clear();
  bind_inputs(arguments);
  load_weights();
  for (int i = 0; i < manifest_.atoms_size(); ++i) {
    const v1::Atom& atom = manifest_.atoms(i);
    try {
      run_atom(i, around, on_tensor);
    } catch (const std::exception& error) {
      throw BrokenAtom(ErrorKind::kFailed,
                       fmt::format("atom '{}' does not run: {}", atom.id(), reason_of(error)));
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
