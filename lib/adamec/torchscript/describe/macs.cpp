#include "adamec/torchscript/describe/macs.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace adamec::torchscript {
namespace {

const v1::TensorType* tensor(const v1::Operator& op, std::string_view argument) {
  for (const v1::Argument& candidate : op.arguments()) {
    if (candidate.name() == argument && candidate.tensors_size() == 1) {
      return &candidate.tensors(0);
    }
  }
  return nullptr;
}

// Whatever it is called: the first tensor that is an argument of its own.
const v1::TensorType* first_tensor(const v1::Operator& op) {
  for (const v1::Argument& candidate : op.arguments()) {
    if (candidate.tensors_size() == 1) return &candidate.tensors(0);
  }
  return nullptr;
}

std::uint64_t size(const v1::TensorType& type, int from_end) {
  const int index = type.shape_size() - from_end;
  return index < 0 ? 1 : static_cast<std::uint64_t>(type.shape(index));
}

// Product of the sizes from dimension `first` on.
std::uint64_t product(const v1::TensorType& type, int first = 0) {
  std::uint64_t elements = 1;
  for (int i = first; i < type.shape_size(); ++i) {
    elements *= static_cast<std::uint64_t>(type.shape(i));
  }
  return elements;
}

// Everything but the last dimension.
std::uint64_t rows(const v1::TensorType& type) {
  std::uint64_t count = 1;
  for (int i = 0; i + 1 < type.shape_size(); ++i) {
    count *= static_cast<std::uint64_t>(type.shape(i));
  }
  return count;
}

// Weights are [out, in / groups, kernel...]; transposed ones are [in, out / groups, kernel...].
std::uint64_t convolution(const v1::Operator& op) {
  const auto* input = first_tensor(op);
  const auto* weight = tensor(op, "weight");
  if (input == nullptr || weight == nullptr || op.results_size() == 0) return 0;
  bool transposed = op.name().find("transpose") != std::string::npos;
  for (const v1::Argument& argument : op.arguments()) {
    transposed = transposed || (argument.name() == "transposed" && argument.numbers_size() == 1 &&
                                argument.numbers(0) != 0);
  }
  return (transposed ? product(*input) : product(op.results(0))) * product(*weight, 1);
}

std::uint64_t inner_product(const v1::Operator& op, const v1::TensorType* left) {
  if (left == nullptr || op.results_size() == 0) return 0;
  return product(op.results(0)) * size(*left, 1);
}

std::uint64_t matrix_product(const v1::Operator& op) { return inner_product(op, first_tensor(op)); }

// The matrix that is added comes first.
std::uint64_t added_product(const v1::Operator& op) {
  for (const char* name : {"mat1", "batch1", "mat", "vec1"}) {
    if (const auto* left = tensor(op, name)) return inner_product(op, left);
  }
  return 0;
}

// The products of all matrices of the batch, added up.
std::uint64_t summed_product(const v1::Operator& op) {
  const auto* left = tensor(op, "batch1");
  return left == nullptr ? 0 : inner_product(op, left) * size(*left, 3);
}

// softmax(q k') v with q [..., L, E], k [..., S, E], v [..., S, Ev].
std::uint64_t attention(const v1::Operator& op) {
  const auto* query = tensor(op, "query");
  const auto* key = tensor(op, "key");
  const auto* value = tensor(op, "value");
  if (query == nullptr || key == nullptr || value == nullptr) return 0;
  return rows(*query) * size(*key, 2) * (size(*query, 1) + size(*value, 1));
}

// Whole attention layers and encoder layers on [batch, sequence, features]: every weight matrix is
// applied to every token, and every token attends to every other of its sequence.
std::uint64_t fused_attention(const v1::Operator& op) {
  const auto* query = first_tensor(op);
  const auto* key = tensor(op, "key");
  if (query == nullptr || query->shape_size() < 2) return 0;
  std::uint64_t weights = 0;
  for (const char* name : {"qkv_weight", "proj_weight", "ffn_weight_1", "ffn_weight_2"}) {
    if (const auto* weight = tensor(op, name)) weights += product(*weight);
  }
  return rows(*query) * (weights + 2 * size(key != nullptr ? *key : *query, 2) * size(*query, 1));
}

// Every weight matrix is applied to every element of every sequence.
std::uint64_t recurrent(const v1::Operator& op) {
  const auto* input = first_tensor(op);
  std::uint64_t weights = 0;
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.name() != "params" && argument.name() != "w_ih" && argument.name() != "w_hh") {
      continue;
    }
    for (const v1::TensorType& type : argument.tensors()) {
      if (type.shape_size() == 2) weights += product(type);
    }
  }
  return input == nullptr ? 0 : rows(*input) * weights;
}

// x1' W x2 for every row and every one of the results' columns.
std::uint64_t bilinear(const v1::Operator& op) {
  const auto* weight = tensor(op, "weight");
  if (weight == nullptr || op.results_size() == 0) return 0;
  return product(op.results(0)) * product(*weight, 1);
}

using Formula = std::uint64_t (*)(const v1::Operator&);

const std::map<std::string_view, Formula>& formulas() {
  static const std::map<std::string_view, Formula> table = {
      {"aten::_convolution", convolution},
      {"aten::_convolution_mode", convolution},
      {"aten::convolution", convolution},
      {"aten::convolution_overrideable", convolution},
      {"aten::conv1d", convolution},
      {"aten::conv2d", convolution},
      {"aten::conv3d", convolution},
      {"aten::conv_transpose1d", convolution},
      {"aten::conv_transpose2d", convolution},
      {"aten::conv_transpose3d", convolution},
      {"aten::thnn_conv2d", convolution},
      {"aten::slow_conv3d", convolution},
      {"aten::slow_conv_transpose2d", convolution},
      {"aten::slow_conv_transpose3d", convolution},
      {"aten::slow_conv_dilated2d", convolution},
      {"aten::slow_conv_dilated3d", convolution},
      {"aten::_conv_depthwise2d", convolution},
      {"aten::conv_depthwise3d", convolution},
      {"aten::mkldnn_convolution", convolution},
      {"mkldnn_prepacked::conv2d_run", convolution},
      {"prepacked::conv2d_clamp_run", convolution},
      {"prepacked::conv2d_transpose_clamp_run", convolution},
      {"torchvision::deform_conv2d", convolution},
      {"aten::linear", matrix_product},
      {"aten::mkldnn_linear", matrix_product},
      {"prepacked::linear_clamp_run", matrix_product},
      {"aten::mm", matrix_product},
      {"aten::bmm", matrix_product},
      {"aten::matmul", matrix_product},
      {"aten::mv", matrix_product},
      {"aten::dot", matrix_product},
      {"aten::vdot", matrix_product},
      {"aten::inner", matrix_product},
      {"aten::cdist", matrix_product},
      {"aten::addmm", added_product},
      {"aten::_addmm_activation", added_product},
      {"aten::addmv", added_product},
      {"aten::baddbmm", added_product},
      {"aten::addbmm", summed_product},
      {"aten::bilinear", bilinear},
      {"aten::scaled_dot_product_attention", attention},
      {"aten::_scaled_dot_product_attention", attention},
      {"aten::_scaled_dot_product_attention_math", attention},
      {"aten::_scaled_dot_product_flash_attention_for_cpu", attention},
      {"aten::_native_multi_head_attention", fused_attention},
      {"aten::_transformer_encoder_layer_fwd", fused_attention},
      {"aten::lstm", recurrent},
      {"aten::gru", recurrent},
      {"aten::rnn_tanh", recurrent},
      {"aten::rnn_relu", recurrent},
      {"aten::lstm_cell", recurrent},
      {"aten::gru_cell", recurrent},
      {"aten::rnn_tanh_cell", recurrent},
      {"aten::rnn_relu_cell", recurrent},
      {"aten::quantized_lstm", recurrent},
      {"aten::quantized_gru", recurrent},
      {"aten::mkldnn_rnn_layer", recurrent}};
  return table;
}

// quantized::conv2d_add_relu, quantized::linear_dynamic, quantized::quantized_gru_cell_dynamic, ...
Formula quantised_formula(std::string_view name) {
  constexpr std::string_view kSpace = "quantized::";
  if (!name.starts_with(kSpace)) return nullptr;
  name.remove_prefix(kSpace.size());
  const bool packs = name.find("pack") != std::string_view::npos;
  if (packs) return nullptr;
  if (name.starts_with("conv")) return convolution;
  if (name.starts_with("linear") || name == "matmul") return matrix_product;
  if (name.find("_cell") != std::string_view::npos) return recurrent;
  return nullptr;
}

}  // namespace

std::optional<std::uint64_t> known_macs(const v1::Operator& op) {
  const std::string_view full = op.name();
  const std::string_view name = full.substr(0, full.find('.'));
  const auto found = formulas().find(name);
  const Formula formula = found != formulas().end() ? found->second : quantised_formula(name);
  if (formula == nullptr) return std::nullopt;
  return formula(op);
}

std::uint64_t multiply_accumulates(const v1::Operator& op) { return known_macs(op).value_or(0); }

}  // namespace adamec::torchscript
