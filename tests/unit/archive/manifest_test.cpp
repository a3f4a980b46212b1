#include "adamec/archive/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "adamec/base/error.h"
#include "tests/unit/archive/example_archive.h"

namespace adamec::testing {
namespace {

// What check_manifest says of the example after `change`; "" when it is accepted.
std::string error_after(const std::function<void(v1::Manifest&)>& change) {
  v1::Manifest manifest = example_archive().manifest;
  change(manifest);
  try {
    archive::check_manifest(manifest, "a");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string error_of_shape(const std::vector<std::int64_t>& shape, std::uint64_t bytes) {
  return error_after([&](v1::Manifest& m) {
    v1::Tensor& tensor = *m.mutable_tensors(0);
    tensor.mutable_type()->mutable_shape()->Assign(shape.begin(), shape.end());
    tensor.set_bytes(bytes);
  });
}

TEST(Manifest, AcceptsTheExample) {
  EXPECT_EQ(error_after([](v1::Manifest&) {}), "");
}

TEST(Manifest, RefusesBadIds) {
  for (const char* id : {"", "a/b", "../x", ".hidden", "a b", "a\nb", "ä"}) {
    EXPECT_THAT(error_after([&](v1::Manifest& m) { m.mutable_atoms(1)->set_id(id); }),
                ::testing::StartsWith("a: bad atom id '"))
        << id;
  }
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_tensors(0)->set_id("x\ny"); }),
            "a: bad tensor id 'x\\ny'");
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_tensors(2)->set_id("x"); }),
            "a: two tensors have the id 'x'");
  EXPECT_EQ(error_after([](v1::Manifest& m) { *m.add_atoms() = m.atoms(0); }),
            "a: atom 'conv.conv2d': record 'atoms/conv.conv2d.pt' belongs to a different one, too");
}

TEST(Manifest, RefusesUnknownTensors) {
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_atoms(1)->set_inputs(0, "nowhere"); }),
            "a: atom 'relu': inputs: unknown tensor 'nowhere'");
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_output()->set_tensor("nowhere"); }),
            "a: output: unknown tensor 'nowhere'");
  EXPECT_EQ(
      error_after([](v1::Manifest& m) { m.mutable_inputs(0)->mutable_value()->set_tensor("q"); }),
      "a: input 'x': unknown tensor 'q'");
}

TEST(Manifest, RefusesCycles) {
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_atoms(0)->set_inputs(0, "relu:0"); }),
            "a: the atoms form a cycle through 'conv.conv2d'");
}

TEST(Manifest, RefusesAtomsOutOfOrder) {
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_atoms()->SwapElements(0, 1); }),
            "a: the atoms are not in execution order: 'relu' comes before 'conv.conv2d', which it "
            "needs");
}

TEST(Manifest, RefusesImpossibleShapes) {
  EXPECT_EQ(error_of_shape({1, -3, 4, 4}, 192), "a: tensor 'x': negative size -3 in its shape");
  const std::int64_t big = std::int64_t{1} << 40;
  EXPECT_EQ(error_of_shape({big, big}, 192), "a: tensor 'x': its shape has too many elements");
  EXPECT_EQ(error_of_shape({big, 1 << 22}, 192), "a: tensor 'x': its shape has too many elements");
  EXPECT_EQ(error_of_shape({2, 3}, 192),
            "a: tensor 'x': 192 bytes, but its type and shape need 24");
  EXPECT_EQ(error_of_shape({big, 0, big}, 0), "");
  EXPECT_EQ(error_of_shape({}, 4), "");
}

std::string error_of_strides(const std::vector<std::int64_t>& strides) {
  return error_after([&](v1::Manifest& m) {
    m.mutable_tensors(0)->mutable_type()->mutable_strides()->Assign(strides.begin(), strides.end());
  });
}

TEST(Manifest, RefusesImpossibleStrides) {
  const std::int64_t big = std::int64_t{1} << 62;
  EXPECT_EQ(error_of_strides({48, 1, 12, 3}), "");
  EXPECT_EQ(error_of_strides({0, 0, 4, 1}), "");
  EXPECT_EQ(error_of_strides({1, 2}), "a: tensor 'x': 2 strides for 4 dimensions");
  EXPECT_EQ(error_of_strides({48, 1, -12, 3}), "a: tensor 'x': bad stride -12");
  EXPECT_EQ(error_of_strides({48, big, 1, 1}), "a: tensor 'x': bad stride 4611686018427387904");
  EXPECT_EQ(error_of_strides({0, big / 32, big / 32, big / 32}),
            "a: tensor 'x': bad stride 144115188075855872");
  EXPECT_EQ(error_after([](v1::Manifest& m) {
              m.mutable_atoms(0)->mutable_operators(0)->mutable_results(0)->add_strides(1);
            }),
            "a: atom 'conv.conv2d': 1 strides for 4 dimensions");
}

TEST(Manifest, RefusesMoreSubnormalElementsThanThereAre) {
  const auto error_of = [](std::uint32_t permille) {
    return error_after([&](v1::Manifest& m) {
      m.mutable_tensors(0)->mutable_type()->set_subnormal_permille(permille);
    });
  };
  EXPECT_EQ(error_of(1000), "");
  EXPECT_EQ(error_of(1001), "a: tensor 'x': 1001 of 1000 elements subnormal");
}

TEST(Manifest, AcceptsAnyByteCountOfAnUnspecifiedType) {
  EXPECT_EQ(error_after([](v1::Manifest& m) {
              m.mutable_tensors(0)->mutable_type()->set_dtype(v1::DATA_TYPE_UNSPECIFIED);
              m.mutable_tensors(0)->set_bytes(7);
            }),
            "");
  EXPECT_EQ(error_after([](v1::Manifest& m) {
              m.mutable_tensors(0)->mutable_type()->set_dtype(static_cast<v1::DataType>(99));
            }),
            "a: tensor 'x': unknown dtype 99");
}

TEST(Manifest, RefusesImpossibleShapesInOperators) {
  EXPECT_EQ(error_after([](v1::Manifest& m) {
              m.mutable_atoms(0)->mutable_operators(0)->mutable_results(0)->set_shape(0, -1);
            }),
            "a: atom 'conv.conv2d': negative size -1 in its shape");
}

TEST(Manifest, RefusesRolesThatDoNotFit) {
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_tensors(2)->set_role(v1::INPUT); }),
            "a: tensor 'conv.conv2d:0' has role INPUT, but an atom produces it");
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_tensors(0)->set_role(v1::INTERMEDIATE); }),
            "a: tensor 'x' has role INTERMEDIATE, but no atom produces it");
  EXPECT_EQ(error_after([](v1::Manifest& m) {
              m.mutable_tensors(0)->set_role(v1::TENSOR_ROLE_UNSPECIFIED);
            }),
            "a: tensor 'x': unknown role 0");
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.clear_inputs(); }),
            "a: tensor 'x' has role INPUT, but no input names it");
  EXPECT_EQ(error_after([](v1::Manifest& m) { *m.add_inputs() = m.inputs(0); }),
            "a: input 'x': tensor 'x' is an input twice");
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_output()->set_constant("x"); }),
            "a: output: tensor 'x' has role INPUT, expected WEIGHT");
}

TEST(Manifest, TakesStateThatHasANextValue) {
  const auto keep = [](v1::Manifest& m, const std::string& next) {
    m.mutable_tensors(1)->set_role(v1::STATE);
    m.mutable_tensors(1)->set_next(next);
    m.mutable_output()->mutable_tuple()->mutable_items(1)->set_tensor("w:shared");
  };
  EXPECT_EQ(error_after([&](v1::Manifest& m) { keep(m, "conv.conv2d:0"); }), "");
  EXPECT_EQ(error_after([&](v1::Manifest& m) { keep(m, ""); }),
            "a: tensor 'w:shared': unknown tensor '' as its next value");
  EXPECT_EQ(error_after([&](v1::Manifest& m) { keep(m, "y"); }),
            "a: tensor 'w:shared': unknown tensor 'y' as its next value");
  EXPECT_EQ(error_after([&](v1::Manifest& m) { m.mutable_tensors(0)->set_next("x"); }),
            "a: tensor 'x': only state has a next value");
}

TEST(Manifest, RefusesBadRecordNamesAndHashes) {
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_atoms(1)->set_record("../relu.pt"); }),
            "a: atom 'relu': record '../relu.pt', expected 'atoms/relu.pt'");
  EXPECT_EQ(
      error_after([](v1::Manifest& m) { m.mutable_tensors(1)->set_record("weights/../x.pt"); }),
      "a: tensor 'w:shared': record 'weights/../x.pt', expected 'weights/<name>.pt'");
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_atoms(1)->set_sha256("AB"); }),
            "a: atom 'relu': sha256 'AB', expected 64 lower-case hexadecimal digits");
}

TEST(Manifest, RefusesMalformedValues) {
  EXPECT_EQ(error_after([](v1::Manifest& m) { m.mutable_output()->Clear(); }),
            "a: output: a value without content");
  EXPECT_EQ(error_after([](v1::Manifest& m) {
              m.mutable_output()->mutable_dict()->add_items()->set_int_value(1);
            }),
            "a: output: 0 keys for 1 items");
}

TEST(Manifest, RefusesValuesNestedTooDeep) {
  const auto nested = [](int depth) {
    return error_after([depth](v1::Manifest& m) {
      v1::Value* value = m.mutable_output();
      for (int i = 0; i < depth; ++i) value = value->mutable_list()->add_items();
      value->set_none(true);
    });
  };
  EXPECT_EQ(nested(archive::kMaxValueDepth), "");
  EXPECT_EQ(nested(archive::kMaxValueDepth + 1), "a: output: nested more than 40 deep");
}

}  // namespace
}  // namespace adamec::testing
