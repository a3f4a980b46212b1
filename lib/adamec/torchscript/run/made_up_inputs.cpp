#include "adamec/torchscript/run/made_up_inputs.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/proto/tensor_type.h"
#include "adamec/torchscript/run/dtype.h"

namespace adamec::torchscript {
namespace {

c10::ScalarType scalar_type_of(const v1::TensorType& type) {
  const c10::ScalarType dtype = to_scalar_type(type.dtype());
  if (dtype == c10::ScalarType::Undefined) fail("no dtype known for one of its inputs");
  return dtype;
}

// One that lies in memory as its shape says.
at::Tensor contiguous_tensor(const v1::TensorType& type, at::Generator& generator,
                             MadeUpIntegers integers) {
  const std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
  const c10::ScalarType dtype = scalar_type_of(type);
  if (c10::isQIntType(dtype)) {
    const std::int64_t middle = dtype == at::kQUInt8 ? 128 : 0;
    return at::quantize_per_tensor(normal_numbers(shape, generator), kMadeUpScale, middle, dtype);
  }
  if (holds_integers(type) && integers == MadeUpIntegers::kZero) return at::zeros(shape, dtype);
  if (c10::isIntegralType(dtype, /*includeBool=*/true)) {
    return at::randint(2, shape, generator, at::TensorOptions(at::kLong)).to(dtype);
  }
  if (c10::isComplexType(dtype)) return at::randn(shape, generator, at::TensorOptions(dtype));
  at::Tensor numbers = normal_numbers(shape, generator);
  if (dtype == at::kFloat) spread_subnormals(numbers, type.subnormal_permille());
  return numbers.to(dtype);
}

}  // namespace

at::Tensor made_up_tensor(const v1::TensorType& type, at::Generator& generator,
                          MadeUpIntegers integers) {
  if (type.strides().empty()) return contiguous_tensor(type, generator, integers);
  v1::TensorType memory;  // that it is a view of
  memory.set_dtype(type.dtype());
  memory.add_shape(spanned_elements(type));
  memory.set_subnormal_permille(type.subnormal_permille());
  const std::vector<std::int64_t> shape(type.shape().begin(), type.shape().end());
  const std::vector<std::int64_t> strides(type.strides().begin(), type.strides().end());
  return contiguous_tensor(memory, generator, integers).as_strided(shape, strides);
}

bool holds_integers(const v1::TensorType& type) {
  return c10::isIntegralType(scalar_type_of(type), /*includeBool=*/false);
}

at::Tensor normal_numbers(at::IntArrayRef shape, at::Generator generator) {
  constexpr std::int64_t kDrawn = 65521;
  const at::Tensor numbers = at::empty(shape);
  const std::int64_t count = numbers.numel();
  if (count <= kDrawn) return at::randn(shape, generator);
  const at::Tensor drawn = at::randn({kDrawn}, generator);
  const at::Tensor flat = numbers.view({-1});
  for (std::int64_t begin = 0; begin < count; begin += kDrawn) {
    const std::int64_t length = std::min(kDrawn, count - begin);
    flat.narrow(0, begin, length).copy_(drawn.narrow(0, 0, length));
  }
  return numbers;
}

void spread_subnormals(at::Tensor& numbers, std::uint32_t permille) {
  constexpr float kSubnormal = 1e-40F;
  assert(numbers.scalar_type() == at::kFloat && numbers.is_contiguous());
  if (permille == 0) return;
  float* const data = numbers.data_ptr<float>();
  std::uint32_t rest = 0;
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    rest += std::min(permille, 1000U);
    if (rest < 1000) continue;
    rest -= 1000;
    data[i] = kSubnormal;
  }
}

}  // namespace adamec::torchscript
