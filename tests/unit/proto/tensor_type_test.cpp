#include "adamec/proto/tensor_type.h"

#include <gtest/gtest.h>

#include <vector>

#include "adamec/proto/parse.h"
#include "adamec/v1/samples.pb.h"

namespace adamec {
namespace {

TEST(TensorType, EveryKnownTypeHasANameAndASize) {
  for (int i = v1::DataType_MIN + 1; i <= v1::DataType_MAX; ++i) {
    ASSERT_TRUE(v1::DataType_IsValid(i));
    const auto dtype = static_cast<v1::DataType>(i);
    EXPECT_GT(element_bytes(dtype), 0u) << v1::DataType_Name(dtype);
    EXPECT_NE(dtype_name(dtype), "?");
  }
  EXPECT_EQ(element_bytes(v1::BFLOAT16), 2u);
  EXPECT_EQ(element_bytes(v1::COMPLEX128), 16u);
  EXPECT_EQ(dtype_name(v1::FLOAT32), "float32");
}

TEST(TensorType, UnknownTypesHaveNeither) {
  EXPECT_EQ(element_bytes(v1::DATA_TYPE_UNSPECIFIED), 0u);
  EXPECT_EQ(dtype_name(v1::DATA_TYPE_UNSPECIFIED), "?");
  EXPECT_EQ(dtype_name(static_cast<v1::DataType>(99)), "?");
}

TEST(TensorType, IsWrittenAsAnInputSpec) {
  v1::TensorType type;
  type.set_dtype(v1::INT64);
  EXPECT_EQ(tensor_type_text(type), "int64[]");
  type.add_shape(1);
  type.add_shape(128);
  EXPECT_EQ(tensor_type_text(type), "int64[1,128]");
}

v1::TensorType strided(const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
  v1::TensorType type;
  type.set_dtype(v1::FLOAT32);
  type.mutable_shape()->Assign(shape.begin(), shape.end());
  type.mutable_strides()->Assign(strides.begin(), strides.end());
  return type;
}

TEST(TensorType, StridesAreWrittenBehindTheShape) {
  EXPECT_EQ(tensor_layout_text(strided({2, 3}, {})), "float32[2,3]");
  EXPECT_EQ(tensor_layout_text(strided({2, 3}, {1, 2})), "float32[2,3:1,2]");
  EXPECT_EQ(tensor_type_text(strided({2, 3}, {1, 2})), "float32[2,3]");
  v1::TensorType masked = strided({2, 3}, {1, 2});
  masked.set_subnormal_permille(430);
  EXPECT_EQ(tensor_layout_text(masked), "float32[2,3:1,2]~430/1000");
  masked.clear_strides();
  EXPECT_EQ(tensor_layout_text(masked), "float32[2,3]~430/1000");
}

TEST(TensorType, SpansTheMemoryBetweenItsFirstAndLastElement) {
  EXPECT_EQ(spanned_elements(strided({2, 3}, {1, 2})), 6);
  EXPECT_EQ(spanned_elements(strided({2, 3}, {100, 2})), 105);
  EXPECT_EQ(spanned_elements(strided({5, 3}, {0, 1})), 3);
}

TEST(TensorType, CloseStridesKeepTheOrderOfDimensions) {
  const auto closed = [](v1::TensorType type) {
    close_strides(type);
    return tensor_layout_text(type);
  };
  EXPECT_EQ(closed(strided({2, 3}, {})), "float32[2,3]");
  EXPECT_EQ(closed(strided({1, 8, 5, 7}, {192, 1, 24, 3})), "float32[1,8,5,7:280,1,56,8]");
  EXPECT_EQ(closed(strided({2, 3}, {1000, 10})), "float32[2,3:3,1]");  // gaps are gone
  EXPECT_EQ(closed(strided({4, 6}, {0, 1})), "float32[4,6:0,1]");      // one row, four times
  EXPECT_EQ(closed(strided({4, 6}, {1})), "float32[4,6]");
  const std::int64_t big = std::int64_t{1} << 40;
  EXPECT_EQ(closed(strided({big, big}, {1, 2})), "float32[1099511627776,1099511627776]");
}

// What makes `cat a.samples b.samples` a sample set: parsing joined bytes joins the lists.
TEST(SampleSet, JoinedFilesAreAFile) {
  v1::SampleSet a, b, joined;
  a.add_hosts()->set_id("1");
  a.add_samples()->set_signature("x");
  b.add_samples()->set_signature("y");
  ASSERT_TRUE(parse_message(joined, a.SerializeAsString() + b.SerializeAsString()));
  EXPECT_EQ(joined.hosts_size(), 1);
  ASSERT_EQ(joined.samples_size(), 2);
  EXPECT_EQ(joined.samples(1).signature(), "y");
}

}  // namespace
}  // namespace adamec
