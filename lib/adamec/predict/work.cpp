#include "adamec/predict/work.h"

#include <algorithm>

#include "adamec/proto/tensor_type.h"

namespace adamec::predict {
namespace {

double type_bytes(const v1::TensorType& type) {
  // Types not known count as the usual four bytes.
  const std::uint64_t size = element_bytes(type.dtype());
  double bytes = size == 0 ? 4.0 : static_cast<double>(size);
  for (const auto extent : type.shape()) bytes *= static_cast<double>(extent);
  return bytes;
}

// "aten::_convolution" says what it does in its arguments only.
std::string convolution_name(const v1::Operator& op) {
  int rank = 4;
  bool transposed = false;
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.name() == "weight" && !argument.tensors().empty()) {
      rank = argument.tensors(0).shape_size();
    } else if (argument.name() == "transposed") {
      transposed = argument.literal() == "true" || argument.literal() == "True";
    }
  }
  const char* kind = transposed ? "conv_transpose" : "conv";
  return std::string("aten::") + kind + std::to_string(rank - 2) + "d";
}

void append_class(const v1::Operator& op, std::string& key) {
  const std::string& name = op.name();
  if (name == "aten::_convolution" || name == "aten::convolution") {
    key += convolution_name(op);
    return;
  }
  // In-place variants: "aten::add_.Tensor", "aten::relu_".
  const std::size_t dot = name.find('.');
  const std::size_t end = dot == std::string::npos ? name.size() : dot;
  if (end < 3 || name[end - 1] != '_' || name[end - 2] == '_') {
    key += name;
  } else {
    key.append(name, 0, end - 1).append(name, end);
  }
}

template <typename Condition>
bool reads(const v1::Operator& op, const Condition& condition) {
  return std::any_of(
      op.arguments().begin(), op.arguments().end(), [&](const v1::Argument& argument) {
        return !argument.weight() &&
               std::any_of(argument.tensors().begin(), argument.tensors().end(), condition);
      });
}

bool strided(const v1::TensorType& type) { return !type.strides().empty(); }
bool subnormal(const v1::TensorType& type) { return type.subnormal_permille() > 0; }

void append_word(const char* word, std::string& text) {
  if (!text.empty()) text += ' ';
  text += word;
}

Work describe(const Operators& operators, v1::AtomKind kind, std::uint64_t macs,
              std::uint64_t weight_bytes, unsigned threads) {
  Work work;
  work.operators = &operators;
  work.view = kind == v1::VIEW;
  if (kind != v1::OPERATOR && kind != v1::VIEW && v1::AtomKind_IsValid(kind)) {
    work.operator_key = v1::AtomKind_Name(kind) + " ";
  }
  for (const v1::Operator& op : operators) {
    work.macs += static_cast<double>(op.macs());
    for (const v1::Argument& argument : op.arguments()) {
      double& bytes = argument.weight() ? work.weight_bytes : work.bytes_in;
      for (const v1::TensorType& type : argument.tensors()) bytes += type_bytes(type);
    }
    for (const v1::TensorType& type : op.results()) work.bytes_out += type_bytes(type);
  }
  if (!operators.empty()) {
    const v1::Operator& principal = operators[0];
    work.class_key = work.operator_key;
    append_class(principal, work.class_key);
    work.operator_key += principal.name();
    work.backend = threads == 1 ? principal.backend_one_thread() : principal.backend_many_threads();
    if (reads(principal, strided)) append_word("strided", work.backend);
    if (reads(principal, subnormal)) append_word("subnormal", work.backend);
  }
  if (operators.empty()) work.class_key = work.operator_key;
  // Operators of opaque atoms may not tell their work and weights.
  if (work.macs == 0) work.macs = static_cast<double>(macs);
  if (work.weight_bytes == 0) work.weight_bytes = static_cast<double>(weight_bytes);
  return work;
}

}  // namespace

Work work_of(const v1::Atom& atom, unsigned threads) {
  return describe(atom.operators(), atom.kind(), atom.macs(), atom.weight_bytes(), threads);
}

Work work_of(const v1::Sample& sample, unsigned threads) {
  return describe(sample.operators(), sample.kind(), sample.macs(), sample.weight_bytes(), threads);
}

Work work_of(const v1::Configuration& part, unsigned threads) {
  return describe(part.operators(), part.kind(), part.macs(), part.weight_bytes(), threads);
}

}  // namespace adamec::predict
