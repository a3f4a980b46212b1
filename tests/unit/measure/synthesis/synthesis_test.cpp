#include "adamec/measure/synthesis/synthesis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "adamec/base/error.h"
#include "adamec/measure/synthesis/perturb.h"
#include "adamec/predict/signature.h"

namespace adamec::measure {
namespace {

std::string text_of(const v1::Operator& op) {
  v1::Atom atom;
  atom.set_kind(v1::OPERATOR);
  *atom.add_operators() = op;
  return predict::signature(atom);
}

TEST(ParseOperator, ReadsWhatSignaturesSay) {
  for (const std::string call :
       {"aten::relu(self=float32[1,64,56,56])", "aten::x(a=float32[],b=None,c=[1, 2],d=true)",
        "aten::linear(input=float32[1,8],weight=weight float32[4,8],bias=None)",
        "aten::relu(self=float32[1,58,2,28:3248,28,1624,1])",
        "aten::matmul(self=float32[4,49,49]~430/1000,other=float32[4,49,32:1568,1,49]~1/1000)"}) {
    EXPECT_EQ(text_of(parse_operator(call)), call + "->");
  }
  EXPECT_EQ(text_of(parse_operator("aten::relu(self=float32[2])->float32[2]")),
            "aten::relu(self=float32[2])->");
  for (const char* bad :
       {"", "aten::relu", "aten::relu(self)", "aten::relu(self=float31[2])",
        "aten::relu(self=float32[2]~1001/1000)", "aten::relu(self=float32[2]~9/100)"}) {
    EXPECT_THROW((void)parse_operator(bad), Error) << bad;
  }
}

TEST(Synthesize, GivesManyDifferentCallsOfEveryKind) {
  for (const std::string& kind : synthetic_kinds()) {
    const auto calls = synthesize(kind, 100, {}, 1);
    ASSERT_EQ(calls.size(), 100U) << kind;
    std::set<std::string> different;
    for (const v1::Operator& call : calls) {
      different.insert(text_of(call));
      EXPECT_TRUE(can_perturb(call)) << text_of(call);
    }
    EXPECT_GT(different.size(), 60U) << kind;
    EXPECT_EQ(text_of(synthesize(kind, 100, {}, 1)[57]), text_of(calls[57]));
    EXPECT_NE(text_of(synthesize(kind, 100, {}, 2)[57]), text_of(calls[57]));
  }
  EXPECT_THROW((void)synthesize("conv9d", 1, {}, 0), Error);
}

TEST(Synthesize, StaysNearWhatIsAtHand) {
  const v1::Operator conv = parse_operator(
      "aten::_convolution(input=float32[1,96,28,28],weight=weight float32[96,1,5,5],bias=None,"
      "stride=[1, 1],padding=[2, 2],dilation=[1, 1],transposed=false,output_padding=[0, 0],"
      "groups=96,benchmark=false,deterministic=false,cudnn_enabled=true,allow_tf32=true)");
  const v1::Operator other = parse_operator("aten::relu(self=float32[1,8])");
  const v1::Operator* at_hand[] = {&other, &conv};
  for (const v1::Operator& call : synthesize("conv2d", 50, at_hand, 0)) {
    EXPECT_EQ(call.name(), "aten::_convolution");
    const auto& input = call.arguments(0).tensors(0);
    const auto& weight = call.arguments(1).tensors(0);
    EXPECT_EQ(weight.shape(0), input.shape(1));  // still depthwise
    EXPECT_EQ(weight.shape(1), 1);
    EXPECT_EQ(call.arguments(8).literal(), std::to_string(input.shape(1)));
    EXPECT_GE(input.shape(1), 48);
    EXPECT_LE(input.shape(1), 200);
  }
}

// A campaign that is gone on with may name its archives in another order.
TEST(Synthesize, DoesNotDependOnTheOrderOfWhatIsAtHand) {
  std::vector<v1::Operator> calls;
  for (int i = 0; i < 9; ++i) {
    calls.push_back(parse_operator("aten::relu(self=float32[1," + std::to_string(64 + i) + "])"));
  }
  std::vector<const v1::Operator*> at_hand;
  for (const v1::Operator& call : calls) at_hand.push_back(&call);
  const auto made = synthesize("elementwise", 20, at_hand, 0);
  std::reverse(at_hand.begin(), at_hand.end());
  const auto again = synthesize("elementwise", 20, at_hand, 0);
  for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(text_of(made[i]), text_of(again[i]));
}

// Channels last stays channels last, whatever the sizes.
TEST(Synthesize, KeepsTheLayout) {
  const v1::Operator relu = parse_operator("aten::relu(self=float32[1,8,6,4:192,1,32,8])");
  const v1::Operator* at_hand[] = {&relu};
  for (const v1::Operator& call : synthesize("elementwise", 20, at_hand, 0)) {
    const auto& type = call.arguments(0).tensors(0);
    EXPECT_EQ(type.strides(1), 1);
    EXPECT_EQ(type.strides(3), type.shape(1));
    EXPECT_EQ(type.strides(2), type.shape(1) * type.shape(3));
  }
}

// Work on subnormal numbers takes many times as long: neighbours are work on such numbers, too.
TEST(Synthesize, KeepsSubnormalNumbersNearTheirShare) {
  const v1::Operator masked =
      parse_operator("aten::matmul(self=float32[4,49,49]~400/1000,other=float32[4,49,32])");
  std::vector<v1::Operator> plain;
  for (int i = 0; i < 100; ++i) {
    const std::string size = std::to_string(64 + i);
    plain.push_back(parse_operator("aten::matmul(self=float32[4,49," + size + "],other=float32[4," +
                                   size + ",32])"));
  }
  std::vector<const v1::Operator*> at_hand{&masked};
  for (const v1::Operator& call : plain) at_hand.push_back(&call);
  std::set<std::uint32_t> shares;
  int subnormal = 0;
  for (const v1::Operator& call : synthesize("matmul", 200, at_hand, 0)) {
    const std::uint32_t share = call.arguments(0).tensors(0).subnormal_permille();
    EXPECT_EQ(call.arguments(1).tensors(0).subnormal_permille(), 0U);
    if (share == 0) continue;
    EXPECT_GE(share, 200U);
    EXPECT_LE(share, 808U);
    shares.insert(share);
    ++subnormal;
  }
  EXPECT_GT(subnormal, 8);  // 1 / (1 + 10) of 200 are 18
  EXPECT_LT(subnormal, 30);
  EXPECT_GT(shares.size(), 4U);
}

// The first convolution of a quantised network reads a picture as it comes, all others channels
// last: other code, so its neighbours are as many as if it were an operator of its own.
TEST(Synthesize, QuantisedCallsOnPicturesGetTheirShare) {
  const auto convolution = [](const std::string& input, int channels) {
    return parse_operator("quantized::conv2d.new(qx=quint8[" + input + "],weight=weight qint8[32," +
                          std::to_string(channels) +
                          ",3,3],bias=weight float32[32],stride=[1, 1],padding=[1, 1],dilation=[1, "
                          "1],output_padding=[0, 0],groups=1,transposed=false,output_scale=0.02,"
                          "output_zero_point=0)");
  };
  std::vector<v1::Operator> calls{convolution("1,3,64,64", 3)};
  for (int channels = 16; channels < 116; ++channels) {
    const std::string c = std::to_string(channels);
    const std::string row = std::to_string(8 * channels);
    const std::string all = std::to_string(64 * channels);
    calls.push_back(convolution("1," + c + ",8,8:" + all + ",1," + row + "," + c, channels));
  }
  std::vector<const v1::Operator*> at_hand;
  for (const v1::Operator& call : calls) at_hand.push_back(&call);
  int pictures = 0;
  for (const v1::Operator& call : synthesize("quantised", 220, at_hand, 0)) {
    pictures += call.arguments(0).tensors(0).strides().empty() ? 1 : 0;
  }
  EXPECT_GT(pictures, 10);  // 1 / (1 + 10) of 220 are 20; of 101 calls one would give 2
  EXPECT_LT(pictures, 35);
}

TEST(Synthesize, KeepsMultiHeadAttentionConsistent) {
  for (const v1::Operator& call : synthesize("multi_head_attention", 60, {}, 3)) {
    const auto shape = [&](int argument, int i) {
      return call.arguments(argument).tensors(0).shape(i);
    };
    const std::int64_t width = std::stoll(call.arguments(3).literal());
    const std::int64_t heads = std::stoll(call.arguments(4).literal());
    EXPECT_EQ(width % heads, 0);
    for (int sequence = 0; sequence < 3; ++sequence) {
      EXPECT_EQ(shape(sequence, 1), shape(0, 1));
      EXPECT_EQ(shape(sequence, 2), width);
    }
    EXPECT_EQ(shape(5, 0), 3 * width);
    EXPECT_EQ(shape(5, 1), width);
    EXPECT_EQ(shape(6, 0), 3 * width);
    EXPECT_EQ(shape(7, 0), width);
    EXPECT_EQ(shape(7, 1), width);
    EXPECT_EQ(shape(8, 0), width);
  }
}

// Layers above the first read what the one below gives, from both directions.
TEST(Synthesize, KeepsRecurrentNetworksConsistent) {
  for (const v1::Operator& call : synthesize("recurrent", 60, {}, 3)) {
    const auto& input = call.arguments(0).tensors(0);
    const auto& state = call.arguments(1).tensors(0);
    const auto& params = call.arguments(2).tensors();
    const std::int64_t hidden = state.shape(2);
    const int gates = call.name() == "aten::gru.input" ? 3 : 4;
    const int directions = call.arguments(7).literal() == "true" ? 2 : 1;
    ASSERT_EQ(params.size(), 4 * static_cast<int>(state.shape(0)));
    for (int i = 0; i < params.size(); ++i) {
      EXPECT_EQ(params[i].shape(0), gates * hidden);
      if (i % 4 == 0) {
        const bool first = i < 4 * directions;
        EXPECT_EQ(params[i].shape(1), first ? input.shape(2) : hidden * directions) << i;
      }
      if (i % 4 == 1) {
        EXPECT_EQ(params[i].shape(1), hidden);
      }
    }
  }
}

// Of three hundred calls to begin with, two are of another operator: these get their part, too.
TEST(Synthesize, RareOperatorsGetMoreThanTheirShare) {
  std::vector<v1::Operator> calls;
  for (int i = 0; i < 298; ++i) {
    calls.push_back(parse_operator("aten::relu(self=float32[1," + std::to_string(64 + i) + "])"));
  }
  for (int i = 0; i < 2; ++i) {
    calls.push_back(
        parse_operator("aten::div.Tensor(self=float32[1," + std::to_string(64 + i) + "],other=8)"));
  }
  std::vector<const v1::Operator*> at_hand;
  for (const v1::Operator& call : calls) at_hand.push_back(&call);
  int rare = 0;
  for (const v1::Operator& call : synthesize("elementwise", 300, at_hand, 0)) {
    rare += call.name() == "aten::div.Tensor" ? 1 : 0;
  }
  EXPECT_GT(rare, 10);  // sqrt(2) / (sqrt(2) + sqrt(298)) of 300 are 23
  EXPECT_LT(rare, 40);
}

TEST(CanPerturb, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(can_perturb(parse_operator("aten::relu(self=int64[8])")));
  EXPECT_FALSE(can_perturb(parse_operator("aten::relu(self=float32[])")));
  EXPECT_FALSE(can_perturb(parse_operator("aten::relu(self=float32[0])")));
  const std::string attention =
      "aten::_native_multi_head_attention(query=float32[1,5,8],key=float32[1,5,8],"
      "value=float32[1,5,8],embed_dim=8,num_head=2,qkv_weight=weight float32[24,8],"
      "qkv_bias=weight float32[24],proj_weight=weight float32[8,8],proj_bias=weight float32[8]";
  EXPECT_TRUE(can_perturb(parse_operator(attention + ",mask=None)")));
  EXPECT_FALSE(can_perturb(parse_operator(attention + ",mask=float32[5,5])")));
  EXPECT_FALSE(can_perturb(parse_operator(
      "aten::conv2d(input=float32[1,3,8,8],weight=weight float32[4,3,3,3],bias=None,stride=[1, "
      "1],padding=same,dilation=[1, 1],groups=1)")));
}

}  // namespace
}  // namespace adamec::measure
