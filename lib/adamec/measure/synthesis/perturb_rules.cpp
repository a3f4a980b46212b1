#include "adamec/measure/synthesis/perturb_rules.h"

#include <algorithm>
#include <map>

#include "adamec/measure/synthesis/perturb_sequences.h"

namespace adamec::measure {
namespace {

// The first of the names that is an argument.
std::string first_of(const Call& call, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (call.has(name)) return name;
  }
  return "";
}

void change_all(Shape& shape, Random& random) {
  for (std::int64_t& size : shape) {
    if (size > 1) size = random.near(size);
  }
}

// The sizes from `first` on: heights and widths, or lengths.
void change_extent(Shape& input, int first, std::int64_t least, Random& random) {
  constexpr std::int64_t kUsual[] = {7, 14, 28, 56, 112, 224};
  const bool square = std::all_of(input.begin() + first, input.end(),
                                  [&](std::int64_t size) { return size == input.Get(first); });
  for (int i = first; i < input.size(); ++i) {
    const std::int64_t size =
        random.chance(0.5) ? kUsual[random.below(6)] : random.near(input.Get(i));
    input.Set(i, std::max(size, least));
    if (square) input.Set(i, input.Get(first));
  }
}

std::string convolved(const Call& call) { return first_of(call, {"input", "qx"}); }

bool is_convolution(const Call& call) {
  const int rank = call.rank(convolved(call));
  const auto spatial = static_cast<std::size_t>(rank - 2);
  const v1::Argument* transposed = call.find("transposed");
  return rank >= 3 && rank <= 5 && call.rank("weight") == rank && call.has("groups") &&
         (transposed == nullptr || transposed->literal() == "false") &&
         call.numbers("stride").size() == spatial && call.numbers("padding").size() == spatial &&
         call.numbers("dilation").size() == spatial;
}

void change_convolution(const Call& call, Random& random) {
  Shape& input = *call.shape(convolved(call));
  Shape& weight = *call.shape("weight");
  const auto spatial = static_cast<std::size_t>(input.size() - 2);
  const auto same = [&](std::int64_t size) { return std::vector<std::int64_t>(spatial, size); };
  std::int64_t groups = std::max<std::int64_t>(1, call.number("groups", 1));
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
    for (int i = 2; i < weight.size(); ++i) weight.Set(i, kernel);
    call.set_numbers("padding", same(kernel / 2));
    call.set_numbers("dilation", same(1));
  }
  if (random.chance(0.2)) {
    call.set_numbers("stride", same(1 + static_cast<std::int64_t>(random.below(2))));
  }
  const std::int64_t kernel = *std::max_element(weight.begin() + 2, weight.end());
  change_extent(input, 2, call.number("dilation", 1) * (kernel - 1) + 1, random);
  input.Set(1, in);
  weight.Set(0, out);
  weight.Set(1, in / groups);
  call.set_vectors(out);
  call.set_number("groups", groups);
}

bool is_linear(const Call& call) {
  return call.rank(first_of(call, {"input", "X"})) >= 1 && call.rank("weight") == 2;
}

void change_linear(const Call& call, Random& random) {
  Shape& input = *call.shape(first_of(call, {"input", "X"}));
  Shape& weight = *call.shape("weight");
  const std::int64_t in = random.near(weight.Get(1));
  const std::int64_t out = random.near(weight.Get(0));
  for (int i = 0; i + 1 < input.size(); ++i) {
    if (input.Get(i) > 1) input.Set(i, random.near(input.Get(i)));
  }
  input.Set(input.size() - 1, in);
  weight.Set(0, out);
  weight.Set(1, in);
  call.set_vectors(out);
}

bool is_product(const Call& call) {
  const int left = call.rank("self");
  const int right = call.rank(first_of(call, {"other", "mat2"}));
  return left >= 2 && (right == left || right == 2);
}

void change_product(const Call& call, Random& random) {
  Shape& left = *call.shape("self");
  Shape& right = *call.shape(first_of(call, {"other", "mat2"}));
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

bool has_self(const Call& call) { return call.rank("self") >= 1; }

void change_softmax(const Call& call, Random& random) {
  Shape& shape = *call.shape("self");
  const int rank = shape.size();
  const bool square = rank >= 2 && shape.Get(rank - 1) == shape.Get(rank - 2);
  change_all(shape, random);
  if (square) shape.Set(rank - 2, shape.Get(rank - 1));
}

// All tensors keep what they have in common: equal sizes stay equal, sizes of one stay one.
void change_aligned(const Call& call, const std::string& first, const std::string& second,
                    Random& random) {
  Shape& self = *call.shape(first);
  Shape* other = call.shape(second);
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

void change_elementwise(const Call& call, Random& random) {
  change_aligned(call, "self", first_of(call, {"other", "mask"}), random);
}

bool is_quantised_pair(const Call& call) {
  return call.rank("qa") >= 1 && call.rank("qb") == call.rank("qa");
}

void change_quantised_pair(const Call& call, Random& random) {
  change_aligned(call, "qa", "qb", random);
}

template <int spatial>
bool is_pool(const Call& call) {
  const bool windows = call.has("kernel_size");
  return call.rank("self") > spatial &&
         (!windows || (call.numbers("kernel_size").size() == spatial &&
                       call.numbers("padding").size() == spatial));
}

template <int spatial>
void change_pool(const Call& call, Random& random) {
  Shape& input = *call.shape("self");
  const std::int64_t kernel =
      std::max(call.number("kernel_size", 1), call.number("output_size", 1));
  const int first = input.size() - spatial;
  input.Set(first - 1, random.near(input.Get(first - 1)));
  change_extent(input, first, kernel * call.number("dilation", 1), random);
  if (!call.has("kernel_size") || !random.chance(0.3)) return;
  const std::int64_t size = 2 + static_cast<std::int64_t>(random.below(2));
  call.set_numbers("kernel_size", std::vector<std::int64_t>(spatial, size));
  call.set_numbers("padding", std::vector<std::int64_t>(spatial, size / 3));
}

bool is_norm(const Call& call) {
  return call.has("normalized_shape")
             ? call.numbers("normalized_shape").size() == 1 && call.rank("input") >= 1
             : call.rank("input") >= 2;
}

void change_norm(const Call& call, Random& random) {
  Shape& input = *call.shape("input");
  if (call.has("normalized_shape")) {
    change_all(input, random);
    const std::int64_t last = input.Get(input.size() - 1);
    call.set_numbers("normalized_shape", {last});
    call.set_vectors(last);
    return;
  }
  const std::int64_t groups = std::max<std::int64_t>(1, call.number("num_groups", 1));
  input.Set(1, (random.near(input.Get(1)) + groups - 1) / groups * groups);
  if (input.size() == 4) change_extent(input, 2, 1, random);
  call.set_vectors(input.Get(1));
}

// Sizes of the result stay in proportion, or are twice to eight times those of the input.
bool is_resize(const Call& call) {
  return call.rank("input") == 4 && call.numbers("output_size").size() == 2;
}

void change_resize(const Call& call, Random& random) {
  Shape& input = *call.shape("input");
  std::vector<std::int64_t> output = call.numbers("output_size");
  const Shape before = input;
  input.Set(1, random.near(input.Get(1)));
  change_extent(input, 2, 1, random);
  const std::int64_t factor = std::int64_t{1} << random.below(4);
  for (int i = 0; i < 2; ++i) {
    const std::int64_t size = input.Get(2 + i);
    const std::int64_t in_proportion =
        std::max<std::int64_t>(1, output[i] * size / std::max<std::int64_t>(1, before.Get(2 + i)));
    output[i] = factor == 1 ? in_proportion : factor * size;
  }
  call.set_numbers("output_size", output);
}

bool is_embedding(const Call& call) {
  return call.rank("weight") == 2 && call.rank("indices") >= 1;
}

void change_embedding(const Call& call, Random& random) {
  change_all(*call.shape("weight"), random);
  change_all(*call.shape("indices"), random);
}

bool is_concatenation(const Call& call) {
  const v1::Argument* tensors = call.find("tensors");
  if (tensors == nullptr || tensors->tensors_size() < 2 || call.find("dim") == nullptr)
    return false;
  const int rank = tensors->tensors(0).shape_size();
  const bool from_front = call.find("dim")->literal().find('-') == std::string::npos;
  return from_front && call.number("dim", rank) < rank &&
         std::all_of(tensors->tensors().begin(), tensors->tensors().end(),
                     [&](const v1::TensorType& type) { return type.shape_size() == rank; });
}

void change_concatenation(const Call& call, Random& random) {
  v1::Argument& tensors = *call.find("tensors");
  const auto dimension = static_cast<int>(call.number("dim", 0));
  Shape first = tensors.tensors(0).shape();
  change_all(first, random);
  for (v1::TensorType& type : *tensors.mutable_tensors()) {
    for (int i = 0; i < first.size(); ++i) {
      const std::int64_t size = type.shape(i);
      type.set_shape(i, i != dimension ? first.Get(i) : random.near(size));
    }
  }
}

const std::map<std::string, Rule>& rules() {
  static const Rule convolution{is_convolution, change_convolution};
  static const Rule quantised_convolution{is_convolution, change_convolution, true};
  static const Rule quantised_linear{is_linear, change_linear, true};
  static const Rule softmax{has_self, change_softmax};
  static const Rule elementwise_of_any{has_self, change_elementwise, true};
  static const Rule pool1d{is_pool<1>, change_pool<1>};
  static const Rule pool2d{is_pool<2>, change_pool<2>, true};
  static const Rule norm{is_norm, change_norm};
  static const Rule resize{is_resize, change_resize};
  static const std::map<std::string, Rule> all{
      {"aten::conv1d", convolution},
      {"aten::conv2d", convolution},
      {"aten::_convolution", convolution},
      {"quantized::conv2d.new", quantised_convolution},
      {"quantized::conv2d_relu.new", quantised_convolution},
      {"aten::linear", {is_linear, change_linear}},
      {"quantized::linear", quantised_linear},
      {"quantized::linear_relu", quantised_linear},
      {"quantized::linear_dynamic", quantised_linear},
      {"quantized::add", {is_quantised_pair, change_quantised_pair, true}},
      {"aten::quantize_per_tensor", elementwise_of_any},
      {"aten::dequantize.self", elementwise_of_any},
      {"aten::matmul", {is_product, change_product}},
      {"aten::bmm", {is_product, change_product}},
      {"aten::softmax.int", softmax},
      {"aten::log_softmax.int", softmax},
      {"aten::masked_fill.Scalar", elementwise_of_any},
      {"aten::scaled_dot_product_attention", attention_rule()},
      {"aten::_native_multi_head_attention", multi_head_attention_rule()},
      {"aten::max_pool1d", pool1d},
      {"aten::avg_pool1d", pool1d},
      {"aten::adaptive_avg_pool1d", pool1d},
      {"aten::max_pool2d", pool2d},
      {"aten::avg_pool2d", pool2d},
      {"aten::adaptive_avg_pool2d", pool2d},
      {"aten::batch_norm", norm},
      {"aten::layer_norm", norm},
      {"aten::group_norm", norm},
      {"aten::upsample_bilinear2d.vec", resize},
      {"aten::upsample_nearest2d.vec", resize},
      {"aten::embedding", {is_embedding, change_embedding, true}},
      {"aten::cat", {is_concatenation, change_concatenation}},
      {"aten::lstm.input", recurrent_rule()},
      {"aten::gru.input", recurrent_rule()}};
  return all;
}

}  // namespace

const Rule* rule_for(const Call& call) {
  static const Rule elementwise{has_self, change_elementwise};
  const auto found = rules().find(call.name());
  const Rule* rule = found == rules().end() ? &elementwise : &found->second;
  return rule->fits(call) ? rule : nullptr;
}

}  // namespace adamec::measure
