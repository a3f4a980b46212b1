#include "adamec/measure/synthesis/synthesis.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>

#include "adamec/base/error.h"
#include "adamec/measure/synthesis/perturb.h"
#include "adamec/predict/signature.h"

namespace adamec::measure {
namespace {

// A kind: which operators belong to it, and usual calls for when no model at hand has one.
struct SyntheticKind {
  std::string name;
  std::vector<std::string> operators;
  std::vector<std::string> usual;
};

std::string convolution(const char* input, const char* weight, int out, int stride, int padding,
                        int groups) {
  return fmt::format(
      "aten::conv2d(input=float32[{}],weight=weight float32[{}],bias=weight float32[{}],"
      "stride=[{}, {}],padding=[{}, {}],dilation=[1, 1],groups={})",
      input, weight, out, stride, stride, padding, padding, groups);
}

std::string attention_scores(int heads, int length, int depth) {
  return fmt::format("aten::matmul(self=float32[1,{0},{1},{2}],other=float32[1,{0},{2},{1}])",
                     heads, length, depth);
}

std::string attention_values(int heads, int length, int depth) {
  return fmt::format("aten::matmul(self=float32[1,{0},{1},{1}],other=float32[1,{0},{1},{2}])",
                     heads, length, depth);
}

std::string attention_softmax(int heads, int length) {
  return fmt::format("aten::softmax.int(self=float32[1,{0},{1},{1}],dim=-1,dtype=None)", heads,
                     length);
}

std::string multi_head_attention(int heads, int length, int depth) {
  const int width = heads * depth;
  const std::string sequence = fmt::format("float32[1,{},{}]", length, width);
  return fmt::format(
      "aten::_native_multi_head_attention(query={0},key={0},value={0},embed_dim={1},num_head={2},"
      "qkv_weight=weight float32[{3},{1}],qkv_bias=weight float32[{3}],proj_weight=weight "
      "float32[{1},{1}],proj_bias=weight float32[{1}],mask=None,need_weights=false,"
      "average_attn_weights=true,mask_type=None)",
      sequence, width, heads, 3 * width);
}

std::string quantised_convolution(const char* input, const char* weight, int out, int padding,
                                  int groups) {
  return fmt::format(
      "quantized::conv2d_relu.new(qx=quint8[{}],weight=weight qint8[{}],bias=weight float32[{}],"
      "stride=[1, 1],padding=[{}, {}],dilation=[1, 1],output_padding=[0, 0],groups={},"
      "transposed=false,output_scale=0.02,output_zero_point=0)",
      input, weight, out, padding, padding, groups);
}

std::string recurrent(const std::string& name, int layers, bool both) {
  constexpr int kSize = 128;
  const int gates = (name == "lstm" ? 4 : 3) * kSize;
  const int directions = both ? 2 : 1;
  std::string params;
  for (int layer = 0; layer < layers; ++layer) {
    for (int direction = 0; direction < directions; ++direction) {
      params += fmt::format("{}float32[{},{}]+float32[{},{}]+float32[{}]+float32[{}]",
                            params.empty() ? "" : "+", gates,
                            layer == 0 ? kSize : kSize * directions, gates, kSize, gates, gates);
    }
  }
  const std::string state = fmt::format("float32[{},1,{}]", layers * directions, kSize);
  return fmt::format(
      "aten::{}.input(input=float32[1,64,{}],hx={},params=weight {},has_biases=true,num_layers={},"
      "dropout=0,train=false,bidirectional={},batch_first=true)",
      name, kSize, name == "lstm" ? state + "+" + state : state, params, layers, both);
}

std::vector<std::string> each(const std::vector<std::string>& operators, const char* arguments) {
  std::vector<std::string> calls;
  for (const std::string& name : operators) calls.push_back(name + arguments);
  return calls;
}

std::vector<std::string> joined(std::vector<std::string> first,
                                const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const std::vector<SyntheticKind>& kinds() {
  static const std::vector<std::string> unary{"aten::relu",      "aten::sigmoid",     "aten::tanh",
                                              "aten::hardswish", "aten::hardsigmoid", "aten::silu"};
  static const std::vector<SyntheticKind> all{
      {"conv2d",
       {"aten::conv2d", "aten::_convolution"},
       {convolution("1,3,224,224", "64,3,7,7", 64, 2, 3, 1),
        convolution("1,64,56,56", "64,64,3,3", 64, 1, 1, 1),
        convolution("1,128,28,28", "512,128,1,1", 512, 1, 0, 1),
        convolution("1,256,14,14", "256,256,3,3", 256, 1, 1, 1),
        convolution("1,96,56,56", "96,1,3,3", 96, 2, 1, 96),
        convolution("1,240,28,28", "240,1,5,5", 240, 1, 2, 240),
        convolution("1,116,14,14", "232,58,1,1", 232, 1, 0, 2)}},
      {"linear",
       {"aten::linear"},
       {"aten::linear(input=float32[1,2048],weight=weight float32[1000,2048],bias=weight "
        "float32[1000])",
        "aten::linear(input=float32[1,197,768],weight=weight float32[3072,768],bias=weight "
        "float32[3072])",
        "aten::linear(input=float32[64,49,96],weight=weight float32[288,96],bias=weight "
        "float32[288])"}},
      {"matmul",
       {"aten::matmul"},
       {"aten::matmul(self=float32[197,768],other=weight float32[768,768])",
        "aten::matmul(self=float32[1,128,512],other=float32[1,512,128])",
        attention_scores(12, 197, 64)}},
      {"bmm",
       {"aten::bmm"},
       {"aten::bmm(self=float32[12,197,64],mat2=float32[12,64,197])",
        "aten::bmm(self=float32[8,128,128],mat2=float32[8,128,64])"}},
      {"attention",
       {"aten::scaled_dot_product_attention"},
       {attention_scores(12, 197, 64), attention_softmax(12, 197), attention_values(12, 197, 64),
        attention_scores(8, 49, 32), attention_softmax(8, 49), attention_values(8, 49, 32)}},
      {"multi_head_attention",
       {"aten::_native_multi_head_attention"},
       {multi_head_attention(12, 197, 64), multi_head_attention(8, 49, 32)}},
      {"conv1d",
       {"aten::conv1d"},
       {"aten::conv1d(input=float32[1,64,128],weight=weight float32[64,64,3],bias=weight "
        "float32[64],stride=[1],padding=[1],dilation=[1],groups=1)"}},
      {"softmax",
       {"aten::softmax.int", "aten::log_softmax.int"},
       {attention_softmax(12, 197), attention_softmax(8, 49),
        "aten::log_softmax.int(self=float32[1,100,64],dim=-1,dtype=None)"}},
      {"recurrent",
       {"aten::lstm.input", "aten::gru.input"},
       {recurrent("lstm", 1, false), recurrent("lstm", 2, true), recurrent("gru", 1, false)}},
      {"quantised",
       {"quantized::conv2d.new", "quantized::conv2d_relu.new", "quantized::linear",
        "quantized::linear_relu", "quantized::linear_dynamic", "quantized::add",
        "aten::quantize_per_tensor", "aten::dequantize.self"},
       {quantised_convolution("1,32,56,56", "64,32,1,1", 64, 0, 1),
        quantised_convolution("1,96,28,28", "96,1,3,3", 96, 1, 96),
        "quantized::linear_dynamic(X=float32[197,768],weight=weight qint8[768,768],bias=weight "
        "float32[768],reduce_range=false)",
        "quantized::add(qa=quint8[1,24,56,56],qb=quint8[1,24,56,56],scale=0.02,zero_point=128)"}},
      {"reduction",
       {"aten::mean.dim", "aten::sum.dim_IntList", "aten::amax"},
       {"aten::mean.dim(self=float32[1,256,14,14],dim=[2, 3],keepdim=false,dtype=None)",
        "aten::mean.dim(self=float32[1,49,768],dim=[1],keepdim=false,dtype=None)"}},
      {"resize",
       {"aten::upsample_bilinear2d.vec", "aten::upsample_nearest2d.vec"},
       {"aten::upsample_bilinear2d.vec(input=float32[1,64,28,28],output_size=[56, "
        "56],align_corners=false,scale_factors=None)",
        "aten::upsample_nearest2d.vec(input=float32[1,64,28,28],output_size=[56, "
        "56],scale_factors=None)"}},
      {"copy",
       {"aten::cat", "aten::pad", "aten::roll", "aten::embedding"},
       {"aten::embedding(weight=weight float32[4096,256],indices=int64[1,128],padding_idx=-1,"
        "scale_grad_by_freq=false,sparse=false)",
        "aten::roll(self=float32[1,56,56,96],shifts=[-3, -3],dims=[1, 2])",
        "aten::pad(self=float32[1,56,56,96],pad=[0, 0, 0, 7, 0, 7],mode=constant,value=0)"}},
      {"elementwise",
       joined(unary,
              {"aten::add.Tensor", "aten::mul.Tensor", "aten::sub.Tensor", "aten::div.Tensor",
               "aten::gelu", "aten::hardtanh", "aten::clamp", "aten::leaky_relu", "aten::exp",
               "aten::eq.Scalar", "aten::masked_fill.Scalar"}),
       joined(each(unary, "(self=float32[1,64,56,56])"),
              {"aten::add.Tensor(self=float32[1,256,28,28],other=float32[1,256,28,28],alpha=1)",
               "aten::mul.Tensor(self=float32[1,96,28,28],other=float32[1,96,1,1])"})},
      {"pool",
       {"aten::max_pool2d", "aten::avg_pool2d", "aten::adaptive_avg_pool2d", "aten::max_pool1d",
        "aten::avg_pool1d", "aten::adaptive_avg_pool1d"},
       {"aten::max_pool2d(self=float32[1,64,112,112],kernel_size=[3, 3],stride=[2, 2],padding=[1, "
        "1],dilation=[1, 1],ceil_mode=false)",
        "aten::avg_pool2d(self=float32[1,128,28,28],kernel_size=[2, 2],stride=[2, 2],padding=[0, "
        "0],ceil_mode=false,count_include_pad=true,divisor_override=None)",
        "aten::adaptive_avg_pool2d(self=float32[1,512,7,7],output_size=[1, 1])"}},
      {"norm",
       {"aten::batch_norm", "aten::layer_norm", "aten::group_norm"},
       {"aten::batch_norm(input=float32[1,64,56,56],weight=weight float32[64],bias=weight "
        "float32[64],running_mean=weight float32[64],running_var=weight float32[64],training=false,"
        "momentum=0.1,eps=1e-05,cudnn_enabled=true)",
        "aten::layer_norm(input=float32[1,197,768],normalized_shape=[768],weight=weight "
        "float32[768],bias=weight float32[768],eps=1e-05,cudnn_enable=true)"}},
  };
  return all;
}

v1::DataType parse_dtype(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  v1::DataType dtype = v1::DATA_TYPE_UNSPECIFIED;
  if (!v1::DataType_Parse(text, &dtype)) fail("'{}' is no dtype", printable(text));
  return dtype;
}

// "float32[1,64]", with strides "float32[2,3:1,2]", or with subnormal numbers
// "float32[8]~430/1000"; false when the text is no tensor type.
bool parse_tensor(std::string text, v1::TensorType& type) {
  const std::size_t tilde = text.find("]~");
  if (tilde != std::string::npos) {
    const char* end = text.data() + text.size();
    std::uint32_t permille = 0;
    const auto [rest, error] = std::from_chars(text.data() + tilde + 2, end, permille);
    if (error != std::errc() || std::string_view(rest, end) != "/1000" || permille > 1000) {
      fail("'{}' is no tensor type", printable(text));
    }
    type.set_subnormal_permille(permille);
    text.resize(tilde + 1);
  }
  const std::size_t bracket = text.find('[');
  if (bracket == 0 || bracket == std::string::npos || text.back() != ']') return false;
  type.set_dtype(parse_dtype(text.substr(0, bracket)));
  auto* numbers = type.mutable_shape();
  const char* at = text.data() + bracket + 1;
  const char* end = text.data() + text.size() - 1;
  while (at < end) {
    std::int64_t size = 0;
    const auto [rest, error] = std::from_chars(at, end, size);
    if (error != std::errc()) fail("'{}' is no tensor type", printable(text));
    numbers->Add(size);
    if (*rest == ':') numbers = type.mutable_strides();
    at = rest + 1;
  }
  return true;
}

v1::Argument parse_argument(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) fail("'{}' is no argument", printable(text));
  v1::Argument argument;
  argument.set_name(text.substr(0, equals));
  std::string value = text.substr(equals + 1);
  if (value.rfind("weight ", 0) == 0) {
    argument.set_weight(true);
    value = value.substr(7);
  }
  for (std::size_t start = 0; start < value.size();) {  // "float32[8]+float32[8]"
    const std::size_t end = std::min(value.find('+', start), value.size());
    v1::TensorType type;
    if (!parse_tensor(value.substr(start, end - start), type)) {
      argument.clear_tensors();
      argument.set_literal(value);
      break;
    }
    *argument.add_tensors() = type;
    start = end + 1;
  }
  return argument;
}

// What makes other code run than sizes do: numbers that are subnormal, and quantised tensors that
// do not lie channels last, like the picture that a network starts with.
std::string path_of(const v1::Operator& op) {
  bool subnormal = false;
  bool turned = false;
  for (const v1::Argument& argument : op.arguments()) {
    for (const v1::TensorType& type : argument.tensors()) {
      subnormal = subnormal || type.subnormal_permille() > 0;
      turned = turned || (!argument.weight() && type.dtype() == v1::QUINT8 &&
                          type.shape_size() == 4 && type.strides().empty());
    }
  }
  return fmt::format("{}{}{}", op.name(), subnormal ? " subnormal" : "", turned ? " turned" : "");
}

// Calls to begin with, whatever order they come in. Operators that networks have few of are the
// ones of which least is known, so they get more than their share; so do calls that run other code
// than most of their operator.
class Origins {
 public:
  void add(const v1::Operator& op) {
    v1::Atom atom;
    *atom.add_operators() = op;
    by_path_[path_of(op)].emplace(predict::signature(atom), op);
  }
  bool empty() const { return by_path_.empty(); }

  const v1::Operator& any(Random& random) const {
    double left = 0;
    for (const auto& [name, calls] : by_path_) left += share(calls);
    left *= random.uniform();
    const Calls* chosen = nullptr;
    for (const auto& [name, calls] : by_path_) {
      chosen = &calls;
      left -= share(calls);
      if (left < 0) break;
    }
    const auto steps = static_cast<std::ptrdiff_t>(random.below(chosen->size()));
    return std::next(chosen->begin(), steps)->second;
  }

 private:
  using Calls = std::map<std::string, v1::Operator>;  // by signature

  static double share(const Calls& calls) { return std::sqrt(static_cast<double>(calls.size())); }

  std::map<std::string, Calls> by_path_;
};

}  // namespace

const std::vector<std::string>& synthetic_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const SyntheticKind& kind : kinds()) result.push_back(kind.name);
    return result;
  }();
  return names;
}

v1::Operator parse_operator(const std::string& signature) {
  const std::size_t open = signature.find('(');
  const std::size_t close = signature.find(')', open == std::string::npos ? 0 : open);
  if (close == std::string::npos) fail("'{}' is no operator", printable(signature));
  v1::Operator op;
  op.set_name(signature.substr(0, open));
  std::string argument;
  int depth = 0;
  for (std::size_t i = open + 1; i <= close; ++i) {
    const char c = signature[i];
    if ((c == ',' && depth == 0) || i == close) {
      if (!argument.empty()) *op.add_arguments() = parse_argument(argument);
      argument.clear();
      continue;
    }
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    argument += c;
  }
  return op;
}

std::vector<v1::Operator> synthesize(const std::string& kind_name, std::size_t count,
                                     std::span<const v1::Operator* const> at_hand,
                                     std::uint64_t seed) {
  const auto kind = std::find_if(kinds().begin(), kinds().end(), [&](const SyntheticKind& other) {
    return other.name == kind_name;
  });
  if (kind == kinds().end()) {
    fail_with(ErrorKind::kUsage, "'{}' is no kind of configuration (known: {})",
              printable(kind_name), fmt::join(synthetic_kinds(), ", "));
  }
  Origins origins;
  for (const v1::Operator* op : at_hand) {
    const bool belongs = std::find(kind->operators.begin(), kind->operators.end(), op->name()) !=
                         kind->operators.end();
    if (belongs && can_perturb(*op)) origins.add(*op);
  }
  if (origins.empty()) {
    for (const std::string& usual : kind->usual) origins.add(parse_operator(usual));
  }
  Random random(kind_name, seed);
  std::vector<v1::Operator> calls;
  while (calls.size() < count) calls.push_back(perturbed(origins.any(random), random));
  return calls;
}

}  // namespace adamec::measure
