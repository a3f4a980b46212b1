#include "adamec/predict/work.h"

namespace adamec::predict {
namespace {

double element_bytes(v1::DataType dtype) {
  switch (dtype) {
    case v1::UINT8:
    case v1::INT8:
    case v1::BOOL:
    case v1::QINT8:
    case v1::QUINT8:
      return 1;
    case v1::INT16:
    case v1::FLOAT16:
    case v1::BFLOAT16:
      return 2;
    case v1::INT64:
    case v1::FLOAT64:
    case v1::COMPLEX64:
      return 8;
    case v1::COMPLEX128:
      return 16;
    default:
      return 4;
  }
}

double type_bytes(const v1::TensorType& type) {
  double bytes = element_bytes(type.dtype());
  for (const auto size : type.shape()) bytes *= static_cast<double>(size);
  return bytes;
}

Work describe(const Operators& operators, v1::AtomKind kind, std::uint64_t macs,
              std::uint64_t weight_bytes, unsigned threads) {
  Work work;
  work.operators = &operators;
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
    work.operator_key += principal.name();
    work.backend = threads == 1 ? principal.backend_one_thread() : principal.backend_many_threads();
  }
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

}  // namespace adamec::predict
