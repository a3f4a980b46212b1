#include "adamec/torchscript/macs.h"

#include <algorithm>
#include <set>
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

// Weights are [out, in / groups, kernel...]; transposed ones are [in, out / groups, kernel...].
std::uint64_t convolution(const v1::Operator& op) {
  const auto* input = tensor(op, "input");
  const auto* weight = tensor(op, "weight");
  if (input == nullptr || weight == nullptr || op.results_size() == 0) return 0;
  bool transposed = op.name().find("transpose") != std::string::npos;
  for (const v1::Argument& argument : op.arguments()) {
    transposed = transposed || (argument.name() == "transposed" && argument.literal() == "true");
  }
  return (transposed ? product(*input) : product(op.results(0))) * product(*weight, 1);
}

std::uint64_t matrix_product(const v1::Operator& op, std::string_view left) {
  const auto* input = tensor(op, left);
  if (input == nullptr || op.results_size() == 0) return 0;
  return product(op.results(0)) * size(*input, 1);
}

// softmax(q k') v with q [..., L, E], k [..., S, E], v [..., S, Ev].
std::uint64_t attention(const v1::Operator& op) {
  const auto* query = tensor(op, "query");
  const auto* key = tensor(op, "key");
  const auto* value = tensor(op, "value");
  if (query == nullptr || key == nullptr || value == nullptr) return 0;
  const std::uint64_t rows = product(*query) / std::max<std::uint64_t>(size(*query, 1), 1);
  return rows * size(*key, 2) * (size(*query, 1) + size(*value, 1));
}

// Every weight matrix is applied to every element of every sequence.
std::uint64_t recurrent(const v1::Operator& op) {
  const auto* input = tensor(op, "input");
  std::uint64_t weights = 0;
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.name() != "params") continue;
    for (const v1::TensorType& type : argument.tensors()) {
      if (type.shape_size() == 2) weights += product(type);
    }
  }
  if (input == nullptr) return 0;
  return product(*input) / std::max<std::uint64_t>(size(*input, 1), 1) * weights;
}

}  // namespace

std::uint64_t multiply_accumulates(const v1::Operator& op) {
  static const std::set<std::string_view> convolutions = {
      "aten::_convolution",     "aten::convolution",
      "aten::conv1d",           "aten::conv2d",
      "aten::conv3d",           "aten::conv_transpose1d",
      "aten::conv_transpose2d", "aten::conv_transpose3d",
      "aten::thnn_conv2d",      "aten::mkldnn_convolution"};
  static const std::set<std::string_view> recurrents = {"aten::lstm", "aten::gru", "aten::rnn_tanh",
                                                        "aten::rnn_relu"};
  const std::string_view full = op.name();
  const std::string_view name = full.substr(0, full.find('.'));
  if (convolutions.count(name) != 0) return convolution(op);
  if (name == "aten::linear") return matrix_product(op, "input");
  if (name == "aten::addmm" || name == "aten::addmv") return matrix_product(op, "mat1");
  if (name == "aten::baddbmm") return matrix_product(op, "batch1");
  if (name == "aten::mm" || name == "aten::bmm" || name == "aten::matmul") {
    return matrix_product(op, "self");
  }
  if (name == "aten::scaled_dot_product_attention") return attention(op);
  if (recurrents.count(name) != 0) return recurrent(op);
  return 0;
}

}  // namespace adamec::torchscript
