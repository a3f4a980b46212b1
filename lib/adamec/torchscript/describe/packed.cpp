#include "adamec/torchscript/describe/packed.h"

#include <algorithm>
#include <string_view>

namespace adamec::torchscript {
namespace {

constexpr std::string_view kCustomClasses = "__torch__.torch.classes.";

// The parts of an object's saved state, depth first.
struct PackedState {
  std::vector<at::Tensor> tensors;
  std::vector<std::vector<std::int64_t>> numbers;  // lists; a single number is a list of one
};

c10::IValue saved_state(const c10::IValue& object) {
  return object.toObject()->type()->getMethod("__getstate__")({object});
}

void collect(const c10::IValue& part, PackedState& state) {
  if (part.isTensor()) {
    if (part.toTensor().defined()) state.tensors.push_back(part.toTensor());
  } else if (part.isIntList()) {
    state.numbers.push_back(part.toIntVector());
  } else if (part.isInt()) {
    state.numbers.push_back({part.toInt()});
  } else if (part.isTuple()) {
    for (const c10::IValue& element : part.toTupleRef().elements()) collect(element, state);
  } else if (part.isList()) {
    for (const c10::IValue& element : part.toListRef()) collect(element, state);
  } else if (is_packed(part)) {
    collect(saved_state(part), state);
  }
}

// Quantised convolutions keep their settings in one row of numbers: the spatial dimensions, so many
// strides, paddings, dilations and output paddings, the groups and whether they are transposed.
bool read_row(const std::vector<std::int64_t>& row, PackedWeights& weights) {
  if (row.empty() || row[0] < 1 || row[0] > 3) return false;
  const auto spatial = static_cast<std::size_t>(row[0]);
  if (row.size() != 3 + 4 * spatial) return false;
  auto next = row.begin() + 1;
  for (const char* name : {"stride", "padding", "dilation", "output_padding"}) {
    weights.settings.push_back({name, {next, next + row[0]}});
    next += row[0];
  }
  weights.settings.push_back({"groups", {next[0]}});
  weights.settings.push_back({"transposed", {next[1] & 1}});
  return true;
}

// Prepacked ones keep each in a list of its own.
void read_lists(const std::vector<std::vector<std::int64_t>>& lists, PackedWeights& weights) {
  static const std::vector<const char*> plain = {"stride", "padding", "dilation", "groups"};
  static const std::vector<const char*> transposed = {"stride", "padding", "output_padding",
                                                      "dilation", "groups"};
  const bool is_transposed = lists.size() == transposed.size();
  const auto& names = is_transposed ? transposed : plain;
  if (lists.size() != names.size() || lists.back().size() != 1) return;
  for (std::size_t i = 0; i < names.size(); ++i) weights.settings.push_back({names[i], lists[i]});
  weights.settings.push_back({"transposed", {is_transposed ? 1 : 0}});
}

}  // namespace

bool is_packed(const c10::IValue& value) {
  if (!value.isObject()) return false;
  const auto type = value.toObject()->type();
  return type->name() && type->name()->qualifiedName().starts_with(kCustomClasses) &&
         type->findMethod("__getstate__") != nullptr;
}

PackedWeights unpack(const c10::IValue& object) {
  PackedState state;
  collect(saved_state(object), state);
  PackedWeights weights;
  for (const at::Tensor& tensor : state.tensors) {
    const bool settings =
        tensor.dim() == 1 && tensor.scalar_type() == at::kShort && weights.settings.empty();
    if (settings) {
      const at::Tensor row = tensor.to(at::kLong).contiguous();
      const auto* first = row.data_ptr<std::int64_t>();
      if (read_row({first, first + row.numel()}, weights)) continue;
    }
    weights.tensors.push_back(tensor);
  }
  if (weights.settings.empty()) {
    const bool row = std::any_of(state.numbers.begin(), state.numbers.end(),
                                 [&](const auto& list) { return read_row(list, weights); });
    if (!row) read_lists(state.numbers, weights);
  }
  return weights;
}

}  // namespace adamec::torchscript
