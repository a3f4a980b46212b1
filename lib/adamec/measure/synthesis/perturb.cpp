#include "adamec/measure/synthesis/perturb.h"

#include <algorithm>
#include <cassert>

#include "adamec/measure/synthesis/perturb_rules.h"
#include "adamec/proto/tensor_type.h"

namespace adamec::measure {
namespace {

constexpr double kMostBytes = 64.0 * (1 << 20);
constexpr double kMostMacs = 2e9;
constexpr double kOfOrigin = 1.25;  // where the origin itself takes more
constexpr int kMostTries = 50;
constexpr std::int64_t kMostExtent = 1 << 24;

void change_subnormals(v1::TensorType& type, Random& random) {
  const std::int64_t permille = type.subnormal_permille();
  if (permille == 0) return;
  const std::int64_t changed = std::clamp<std::int64_t>(random.near(permille), 1, 1000);
  type.set_subnormal_permille(static_cast<std::uint32_t>(changed));
}

}  // namespace

bool can_perturb(const v1::Operator& op) {
  v1::Operator copy = op;
  const Rule* rule = rule_for(Call(copy));
  if (rule == nullptr) return false;
  for (const v1::Argument& argument : op.arguments()) {
    for (const v1::TensorType& type : argument.tensors()) {
      if (type.dtype() != v1::FLOAT32 && !rule->any_dtype) return false;
      for (const std::int64_t size : type.shape()) {
        if (size < 1 || size > kMostExtent) return false;
      }
    }
  }
  return true;
}

v1::Operator perturbed(const v1::Operator& op, Random& random) {
  assert(can_perturb(op));
  v1::Operator changed = op;
  const Call call(changed);
  const double most_bytes = std::max(kMostBytes, kOfOrigin * call.bytes());
  const double most_macs = std::max(kMostMacs, kOfOrigin * call.macs());
  for (int i = 0; i < kMostTries; ++i) {
    changed = op;
    changed.clear_results();
    rule_for(call)->change(call, random);
    for (v1::Argument& argument : *changed.mutable_arguments()) {
      for (v1::TensorType& type : *argument.mutable_tensors()) {
        close_strides(type);
        change_subnormals(type, random);
      }
    }
    if (call.bytes() <= most_bytes && call.macs() <= most_macs) break;
  }
  return changed;
}

}  // namespace adamec::measure
