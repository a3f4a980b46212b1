#include "adamec/measure/synthesis/call.h"

#include <fmt/format.h>

namespace adamec::measure {
namespace {

double elements(const Shape& shape) {
  double product = 1;
  for (const std::int64_t extent : shape) product *= static_cast<double>(extent);
  return product;
}

}  // namespace

v1::Argument* Call::find(const std::string& argument) const {
  for (v1::Argument& candidate : *op_.mutable_arguments()) {
    if (candidate.name() == argument) return &candidate;
  }
  return nullptr;
}

Shape* Call::shape(const std::string& argument) const {
  v1::Argument* found = find(argument);
  if (found == nullptr || found->tensors_size() != 1) return nullptr;
  return found->mutable_tensors(0)->mutable_shape();
}

int Call::rank(const std::string& argument) const {
  const Shape* found = shape(argument);
  return found == nullptr ? 0 : found->size();
}

std::vector<std::int64_t> Call::numbers(const std::string& argument) const {
  std::vector<std::int64_t> numbers;
  const v1::Argument* found = find(argument);
  if (found == nullptr) return numbers;
  std::string digits;
  for (const char c : found->literal() + ",") {
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (!digits.empty()) {
      numbers.push_back(std::stoll(digits.substr(0, 12)));
      digits.clear();
    }
  }
  return numbers;
}

std::int64_t Call::number(const std::string& argument, std::int64_t otherwise) const {
  const std::vector<std::int64_t> all = numbers(argument);
  return all.empty() ? otherwise : all.front();
}

void Call::set_numbers(const std::string& argument,
                       const std::vector<std::int64_t>& numbers) const {
  find(argument)->set_literal(fmt::format("[{}]", fmt::join(numbers, ", ")));
  find(argument)->clear_numbers();
}

void Call::set_number(const std::string& argument, std::int64_t number) const {
  find(argument)->set_literal(fmt::format("{}", number));
  find(argument)->clear_numbers();
}

void Call::set_vectors(std::int64_t length) const {
  for (v1::Argument& argument : *op_.mutable_arguments()) {
    if (!argument.weight() || argument.tensors_size() != 1) continue;
    Shape& shape = *argument.mutable_tensors(0)->mutable_shape();
    if (shape.size() == 1) shape.Set(0, length);
  }
}

double Call::bytes() const {
  double bytes = 0;
  for (const v1::Argument& argument : op_.arguments()) {
    for (const v1::TensorType& type : argument.tensors()) bytes += 4 * elements(type.shape());
  }
  return bytes;
}

double Call::macs() const {
  const Shape* weight = shape("weight");
  if (weight != nullptr && weight->size() >= 3) {
    const Shape* input = has("qx") ? shape("qx") : shape("input");
    double macs = elements(*weight);
    for (int i = 2; input != nullptr && i < input->size(); ++i) {
      macs *= static_cast<double>(input->Get(i)) / static_cast<double>(number("stride", 1));
    }
    return macs;
  }
  if (weight != nullptr && weight->size() == 2 && !has("indices")) {
    const Shape* input = has("input") ? shape("input") : shape("X");
    return input == nullptr ? 0 : elements(*input) * static_cast<double>(weight->Get(0));
  }
  if (const Shape* projection = shape("qkv_weight")) {  // 3 and 1 projections, then the attention
    const Shape* query = shape("query");
    if (query == nullptr || query->size() != 3) return 0;
    const auto length = static_cast<double>(query->Get(1));
    return elements(*query) * (4.0 / 3 * static_cast<double>(projection->Get(0)) + 2 * length);
  }
  if (const v1::Argument* params = find("params")) {  // of a recurrent network, at every step
    double macs = 0;
    for (const v1::TensorType& type : params->tensors()) macs += elements(type.shape());
    return macs * static_cast<double>(std::max(shape("input")->Get(0), shape("input")->Get(1)));
  }
  for (const char* argument : {"other", "mat2"}) {
    const Shape* right = shape(argument);
    const bool product = name() == "aten::matmul" || name() == "aten::bmm";
    if (product && right != nullptr && right->size() >= 2) {
      return elements(*shape("self")) * static_cast<double>(right->Get(right->size() - 1));
    }
  }
  return 0;
}

}  // namespace adamec::measure
