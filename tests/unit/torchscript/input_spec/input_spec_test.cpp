#include "adamec/torchscript/input_spec/input_spec.h"

#include <gtest/gtest.h>

#include "adamec/base/error.h"

namespace adamec::torchscript {
namespace {

TEST(InputSpec, ReadsTensors) {
  const InputSpec spec = parse_input_spec("float32[1,3,224,224]");
  EXPECT_EQ(spec.kind, InputSpec::Kind::kTensor);
  EXPECT_EQ(spec.dtype, v1::FLOAT32);
  EXPECT_EQ(spec.shape, (std::vector<std::int64_t>{1, 3, 224, 224}));
  EXPECT_EQ(parse_input_spec("bfloat16[]").shape.size(), 0u);
  EXPECT_EQ(parse_input_spec("bool[0,4]").dtype, v1::BOOL);
}

TEST(InputSpec, ReadsBounds) {
  const InputSpec spec = parse_input_spec("int64[1,128]<30522");
  EXPECT_EQ(spec.dtype, v1::INT64);
  EXPECT_EQ(spec.bound, 30522);
}

TEST(InputSpec, ReadsScalars) {
  EXPECT_EQ(parse_input_spec("int=16000").int_value, 16000);
  EXPECT_EQ(parse_input_spec("int=-1").int_value, -1);
  EXPECT_DOUBLE_EQ(parse_input_spec("float=0.5").float_value, 0.5);
  EXPECT_TRUE(parse_input_spec("bool=true").bool_value);
  EXPECT_FALSE(parse_input_spec("bool=false").bool_value);
  EXPECT_EQ(parse_input_spec("str=a[1]=b").string_value, "a[1]=b");
  EXPECT_EQ(parse_input_spec("none").kind, InputSpec::Kind::kNone);
}

TEST(InputSpec, ReadsListsTuplesAndDicts) {
  const InputSpec list = parse_input_spec("[float32[3,240,320],float32[3,320,240]]");
  EXPECT_EQ(list.kind, InputSpec::Kind::kList);
  ASSERT_EQ(list.elements.size(), 2u);
  EXPECT_EQ(list.elements[1].shape, (std::vector<std::int64_t>{3, 320, 240}));
  const InputSpec tuple = parse_input_spec("(int64[1,8]<100, int=3, [none], ())");
  EXPECT_EQ(tuple.kind, InputSpec::Kind::kTuple);
  ASSERT_EQ(tuple.elements.size(), 4u);
  EXPECT_EQ(tuple.elements[0].bound, 100);
  EXPECT_EQ(tuple.elements[1].int_value, 3);
  EXPECT_EQ(tuple.elements[2].elements.at(0).kind, InputSpec::Kind::kNone);
  EXPECT_EQ(tuple.elements[3].elements.size(), 0u);
  const InputSpec dict = parse_input_spec("{image:float32[3,8,8],id:str=a:b}");
  EXPECT_EQ(dict.kind, InputSpec::Kind::kDict);
  EXPECT_EQ(dict.keys, (std::vector<std::string>{"image", "id"}));
  EXPECT_EQ(dict.elements.at(1).string_value, "a:b");
}

class BadInputSpec : public ::testing::TestWithParam<const char*> {};

TEST_P(BadInputSpec, IsRefusedAsWrongUsage) {
  try {
    parse_input_spec(GetParam());
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("expected a tensor such as"), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadInputSpec,
    ::testing::Values("", "float32", "float32[", "float32[1,2", "float32[1,,2]", "float32[1,]",
                      "float32[-1]", "float32[x]", "float33[1]", "float32[1]<5", "int64[1]<0",
                      "int64[1]<x", "int64[1]junk", "int=", "int=1.5", "float=abc", "bool=1",
                      "bool=True", "=3", "list=[1]", "float32[99999999999999999999]",
                      "float32[4294967296,4294967296]", "float32[9223372036854775807,2]",
                      "float32[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "a\nb", "qint8[1]", "[", "]",
                      "[float32[1]", "[float32[1]]]", "[float32[1],]", "(int=1", "(int=1]",
                      "[(int=1])", "{int=1}", "{a:int=1,a:int=2}", "[int=1]x",
                      "[[[[[[[[[[[[[[[[[[none]]]]]]]]]]]]]]]]]]"));

}  // namespace
}  // namespace adamec::torchscript
