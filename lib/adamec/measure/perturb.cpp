#include "adamec/measure/perturb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamec/predict/signature.h"

namespace adamec::measure {
namespace {

constexpr double kMostBytes = 64.0 * (1 << 20);
constexpr double kMostMacs = 2e9;
constexpr double kOfOrigin = 1.25;  // where the origin itself takes more
constexpr int kMostTries = 50;

using Shape = google::protobuf::RepeatedField<std::int64_t>;

v1::Argument* find(v1::Operator& op, const std::string& name) {
  for (v1::Argument& argument : *op.mutable_arguments()) {
    if (argument.name() == name) return &argument;
  }
  return nullptr;
}

// The shape of a tensor argument; null when there is none.
Shape* shape_of(v1::Operator& op, const std::string& name) {
  v1::Argument* argument = find(op, name);
  if (argument == nullptr || argument->tensors_size() != 1) return nullptr;
  return argument->mutable_tensors(0)->mutable_shape();
}

// The numbers of a literal: "[2, 2]" -> {2, 2}.
std::vector<std::int64_t> numbers_of(v1::Operator& op, const std::string& name) {
  std::vector<std::int64_t> numbers;
  const v1::Argument* argument = find(op, name);
  if (argument == nullptr) return numbers;
  std::string digits;
  for (const char c : argument->literal() + ",") {
    if (c >= '0' && c <= '9') {
      digits += c;
    } else if (!digits.empty()) {
      numbers.push_back(std::stoll(digits.substr(0, 12)));
      digits.clear();
    }
  }
  return numbers;
}

void set_numbers(v1::Operator& op, const std::string& name,
                 const std::vector<std::int64_t>& numbers) {
  find(op, name)->set_literal(fmt::format("[{}]", fmt::join(numbers, ", ")));
  find(op, name)->clear_numbers();
}

// One value for both directions, as nearly all networks have them.
std::int64_t first_number(v1::Operator& op, const std::string& name, std::int64_t otherwise) {
  const std::vector<std::int64_t> numbers = numbers_of(op, name);
  return numbers.empty() ? otherwise : numbers.front();
}

// Tensors of one length that follow the channels: biases, scales, means.
void set_vectors(v1::Operator& op, std::int64_t length) {
  for (v1::Argument& argument : *op.mutable_arguments()) {
    if (!argument.weight() || argument.tensors_size() != 1) continue;
    Shape& shape = *argument.mutable_tensors(0)->mutable_shape();
    if (shape.size() == 1) shape.Set(0, length);
  }
}

void perturb_resolution(Shape& input, int first, std::int64_t least, Random& random) {
  constexpr std::int64_t kUsual[] = {7, 14, 28, 56, 112, 224};
  const bool square = input.Get(first) == input.Get(first + 1);
  for (int i = first; i < first + 2; ++i) {
    const std::int64_t size =
        random.chance(0.5) ? kUsual[random.below(6)] : random.near(input.Get(i));
    input.Set(i, std::max(size, least));
  }
  if (square) input.Set(first + 1, input.Get(first));
}

void perturb_convolution(v1::Operator& op, Random& random) {
  Shape& input = *shape_of(op, "input");
  Shape& weight = *shape_of(op, "weight");
  std::int64_t groups = std::max<std::int64_t>(1, first_number(op, "groups", 1));
  const bool depthwise = groups > 1 && groups == input.Get(1);
  const std::int64_t multiplier = std::max<std::int64_t>(1, weight.Get(0) / input.Get(1));
  // Pictures have three channels.
  std::int64_t in = input.Get(1) == 3 && random.chance(0.8) ? 3 : random.near(input.Get(1));
  std::int64_t out = random.near(weight.Get(0));
  if (depthwise) {
    groups = in;
    out = in * multiplier;
  } else {
    in = (in + groups - 1) / groups * groups;
    out = (out + groups - 1) / groups * groups;
  }
  constexpr std::int64_t kKernels[] = {1, 3, 3, 5, 7};
  if (random.chance(0.3)) {
    const std::int64_t kernel = kKernels[random.below(5)];
    for (int i = 2; i < 4; ++i) weight.Set(i, kernel);
    set_numbers(op, "padding", {kernel / 2, kernel / 2});
    set_numbers(op, "dilation", {1, 1});
  }
  if (random.chance(0.2)) {
    const std::int64_t stride = 1 + static_cast<std::int64_t>(random.below(2));
    set_numbers(op, "stride", {stride, stride});
  }
  const std::int64_t reach =
      first_number(op, "dilation", 1) * (std::max(weight.Get(2), weight.Get(3)) - 1) + 1;
  perturb_resolution(input, 2, reach, random);
  input.Set(1, in);
  weight.Set(0, out);
  weight.Set(1, in / groups);
  set_vectors(op, out);
  find(op, "groups")->set_literal(fmt::format("{}", groups));
  find(op, "groups")->clear_numbers();
}

void perturb_linear(v1::Operator& op, Random& random) {
  Shape& input = *shape_of(op, "input");
  Shape& weight = *shape_of(op, "weight");
  const std::int64_t in = random.near(weight.Get(1));
  const std::int64_t out = random.near(weight.Get(0));
  for (int i = 0; i + 1 < input.size(); ++i) {
    if (input.Get(i) > 1) input.Set(i, random.near(input.Get(i)));
  }
  input.Set(input.size() - 1, in);
  weight.Set(0, out);
  weight.Set(1, in);
  set_vectors(op, out);
}

void perturb_product(v1::Operator& op, const std::string& right_name, Random& random) {
  Shape& left = *shape_of(op, "self");
  Shape& right = *shape_of(op, right_name);
  const int rank = left.size();
  const std::int64_t inner = random.near(left.Get(rank - 1));
  left.Set(rank - 2, random.near(left.Get(rank - 2)));
  left.Set(rank - 1, inner);
  right.Set(right.size() - 2, inner);
  right.Set(right.size() - 1, random.near(right.Get(right.size() - 1)));
  for (int i = 0; i + 2 < rank; ++i) {  // batches; where the right side has them, the same
    if (left.Get(i) == 1 || random.chance(0.5)) continue;
    const std::int64_t size = std::max<std::int64_t>(1, random.near(left.Get(i)) / 2 * 2);
    left.Set(i, size);
    if (right.size() == rank) right.Set(i, size);
  }
}

void perturb_softmax(v1::Operator& op, Random& random) {
  Shape& shape = *shape_of(op, "self");
  const int rank = shape.size();
  const bool square = rank >= 2 && shape.Get(rank - 1) == shape.Get(rank - 2);
  for (std::int64_t& size : shape) {
    if (size > 1) size = random.near(size);
  }
  if (square) shape.Set(rank - 2, shape.Get(rank - 1));
}

void perturb_attention(v1::Operator& op, Random& random) {
  Shape& query = *shape_of(op, "query");
  const int rank = query.size();
  const std::int64_t heads = random.near(query.Get(rank - 3));
  const std::int64_t depth = random.near(query.Get(rank - 1));
  const std::int64_t length = random.near(query.Get(rank - 2));
  for (const char* name : {"query", "key", "value"}) {
    Shape& shape = *shape_of(op, name);
    shape.Set(rank - 3, heads);
    shape.Set(rank - 2, length);
    shape.Set(rank - 1, depth);
  }
}

// All tensors keep what they have in common: equal sizes stay equal, sizes of one stay one.
void perturb_elementwise(v1::Operator& op, Random& random) {
  Shape& self = *shape_of(op, "self");
  Shape* other = shape_of(op, "other");
  for (int i = 1; i <= self.size(); ++i) {  // from the last one, as shapes are aligned
    const int mine = self.size() - i;
    const int its = other == nullptr ? -1 : other->size() - i;
    const std::int64_t before = self.Get(mine);
    if (before > 1) self.Set(mine, random.near(before));
    if (its < 0) continue;
    const std::int64_t opposite = other->Get(its);
    if (opposite > 1) other->Set(its, before > 1 ? self.Get(mine) : random.near(opposite));
  }
}

void perturb_pool(v1::Operator& op, Random& random) {
  Shape& input = *shape_of(op, "self");
  const std::int64_t kernel =
      std::max(first_number(op, "kernel_size", 1), first_number(op, "output_size", 1));
  const int rank = input.size();
  input.Set(rank - 3, random.near(input.Get(rank - 3)));
  perturb_resolution(input, rank - 2, kernel * first_number(op, "dilation", 1), random);
  if (find(op, "kernel_size") == nullptr || !random.chance(0.3)) return;
  const std::int64_t size = 2 + static_cast<std::int64_t>(random.below(2));
  set_numbers(op, "kernel_size", {size, size});
  set_numbers(op, "padding", {size / 3, size / 3});
}

void perturb_norm(v1::Operator& op, Random& random) {
  Shape& input = *shape_of(op, "input");
  if (find(op, "normalized_shape") != nullptr) {
    for (std::int64_t& size : input) {
      if (size > 1) size = random.near(size);
    }
    const std::int64_t last = input.Get(input.size() - 1);
    set_numbers(op, "normalized_shape", {last});
    set_vectors(op, last);
    return;
  }
  const std::int64_t groups = std::max<std::int64_t>(1, first_number(op, "num_groups", 1));
  input.Set(1, (random.near(input.Get(1)) + groups - 1) / groups * groups);
  if (input.size() == 4) perturb_resolution(input, 2, 1, random);
  set_vectors(op, input.Get(1));
}

double bytes_of(const v1::Operator& op) {
  double bytes = 0;
  for (const v1::Argument& argument : op.arguments()) {
    for (const v1::TensorType& type : argument.tensors()) {
      double size = 4;
      for (const std::int64_t extent : type.shape()) size *= static_cast<double>(extent);
      bytes += size;
    }
  }
  return bytes;
}

// Roughly, and only where weights or products make it many.
double macs_of(v1::Operator& op) {
  const auto size = [](const Shape* shape) {
    double product = 1;
    for (int i = 0; shape != nullptr && i < shape->size(); ++i) {
      product *= static_cast<double>(shape->Get(i));
    }
    return product;
  };
  Shape* weight = shape_of(op, "weight");
  if (weight != nullptr && weight->size() == 4) {
    const Shape& input = *shape_of(op, "input");
    const auto stride = static_cast<double>(first_number(op, "stride", 1));
    return size(weight) * static_cast<double>(input.Get(2) * input.Get(3)) / (stride * stride);
  }
  if (weight != nullptr && weight->size() == 2) {
    return size(shape_of(op, "input")) * static_cast<double>(weight->Get(0));
  }
  for (const char* name : {"other", "mat2"}) {
    Shape* right = shape_of(op, name);
    const bool product = op.name() == "aten::matmul" || op.name() == "aten::bmm";
    if (product && right != nullptr && right->size() >= 2) {
      return size(shape_of(op, "self")) * static_cast<double>(right->Get(right->size() - 1));
    }
  }
  return 0;
}

enum class Family {
  kNone,
  kConvolution,
  kLinear,
  kProduct,
  kSoftmax,
  kAttention,
  kElementwise,
  kPool,
  kNorm
};

// What sort of call it is, when its tensors are as expected.
Family family_of(v1::Operator& op) {
  const auto rank = [&](const char* name) {
    const Shape* shape = shape_of(op, name);
    return shape == nullptr ? 0 : shape->size();
  };
  const std::string& name = op.name();
  if (name == "aten::conv2d" || name == "aten::_convolution") {
    const v1::Argument* transposed = find(op, "transposed");
    const bool plain = transposed == nullptr || transposed->literal() == "false";
    const bool paired = numbers_of(op, "stride").size() == 2 && find(op, "groups") != nullptr &&
                        numbers_of(op, "padding").size() == 2 && find(op, "dilation") != nullptr;
    return rank("input") == 4 && rank("weight") == 4 && plain && paired ? Family::kConvolution
                                                                        : Family::kNone;
  }
  if (name == "aten::linear") {
    return rank("input") >= 1 && rank("weight") == 2 ? Family::kLinear : Family::kNone;
  }
  if (name == "aten::matmul" || name == "aten::bmm") {
    const int left = rank("self");
    const int right = rank(name == "aten::bmm" ? "mat2" : "other");
    return left >= 2 && (right == left || right == 2) ? Family::kProduct : Family::kNone;
  }
  if (name == "aten::softmax.int") return rank("self") >= 1 ? Family::kSoftmax : Family::kNone;
  if (name == "aten::scaled_dot_product_attention") {
    const bool alike = rank("query") >= 3 && rank("key") == rank("query") &&
                       rank("value") == rank("query") && rank("attn_mask") == 0;
    return alike ? Family::kAttention : Family::kNone;
  }
  if (name.find("pool2d") != std::string::npos) {
    const bool paired =
        find(op, "kernel_size") == nullptr ||
        (numbers_of(op, "kernel_size").size() == 2 && numbers_of(op, "padding").size() == 2);
    return rank("self") >= 3 && paired ? Family::kPool : Family::kNone;
  }
  if (name.find("_norm") != std::string::npos) {
    const bool fits = find(op, "normalized_shape") == nullptr
                          ? rank("input") >= 2
                          : numbers_of(op, "normalized_shape").size() == 1 && rank("input") >= 1;
    return fits ? Family::kNorm : Family::kNone;
  }
  return rank("self") >= 1 ? Family::kElementwise : Family::kNone;
}

void perturb(v1::Operator& op, Random& random) {
  switch (family_of(op)) {
    case Family::kConvolution:
      return perturb_convolution(op, random);
    case Family::kLinear:
      return perturb_linear(op, random);
    case Family::kProduct:
      return perturb_product(op, op.name() == "aten::bmm" ? "mat2" : "other", random);
    case Family::kSoftmax:
      return perturb_softmax(op, random);
    case Family::kAttention:
      return perturb_attention(op, random);
    case Family::kPool:
      return perturb_pool(op, random);
    case Family::kNorm:
      return perturb_norm(op, random);
    case Family::kElementwise:
      return perturb_elementwise(op, random);
    case Family::kNone:
      break;
  }
}

}  // namespace

Random::Random(const std::string& name, std::uint64_t seed) {
  const std::uint64_t hash = predict::signature_hash(name);
  std::seed_seq seeds{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)};
  generator_.seed(seeds);
}

double Random::uniform() {
  return static_cast<double>(generator_() >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

std::int64_t Random::near(std::int64_t size) {
  const auto wanted = std::llround(static_cast<double>(size) * std::exp2(2 * uniform() - 1));
  if (wanted >= 16 && chance(0.8)) return (wanted + 4) / 8 * 8;
  return std::max<std::int64_t>(1, wanted);
}

bool can_perturb(const v1::Operator& op) {
  for (const v1::Argument& argument : op.arguments()) {
    if (argument.tensors_size() > 1) return false;
    for (const v1::TensorType& type : argument.tensors()) {
      if (type.dtype() != v1::FLOAT32) return false;
      for (const std::int64_t size : type.shape()) {
        if (size < 1 || size > (1 << 24)) return false;
      }
    }
  }
  v1::Operator copy = op;
  return family_of(copy) != Family::kNone;
}

v1::Operator perturbed(const v1::Operator& op, Random& random) {
  v1::Operator call = op;
  call.clear_results();
  const double most_bytes = std::max(kMostBytes, kOfOrigin * bytes_of(call));
  const double most_macs = std::max(kMostMacs, kOfOrigin * macs_of(call));
  for (int i = 0; i < kMostTries; ++i) {
    call = op;
    call.clear_results();
    perturb(call, random);
    if (bytes_of(call) <= most_bytes && macs_of(call) <= most_macs) break;
  }
  return call;
}

}  // namespace adamec::measure
