#include "adamec/archive/cuts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/archive/manifest.h"
#include "adamec/archive/value.h"
#include "tests/unit/archive/example_archive.h"

namespace adamec::testing {
namespace {

using ::testing::ElementsAre;

archive::Cuts cuts_of(const v1::Manifest& manifest) {
  return archive::possible_cuts(manifest, archive::check_manifest(manifest, "m"));
}

// x -> conv -> relu -> result, all tensors of one size, and a weight that both atoms read.
TEST(Cuts, TensorsOfOneSizeAreCutAtTheEndsOnly) {
  const archive::Cuts cuts = cuts_of(example_archive().manifest);
  EXPECT_THAT(cuts.blocks, ElementsAre(0, 0));
  EXPECT_EQ(cuts.block_count, 1);
  EXPECT_THAT(cuts.may_be_cut, ElementsAre(1, 0, 0, 1));  // x, w:shared, conv.conv2d:0, relu:0
}

TEST(Cuts, ASmallTensorInBetweenMayBeCut) {
  v1::Manifest manifest = example_archive().manifest;
  v1::Tensor& between = *manifest.mutable_tensors(2);
  between.mutable_type()->set_shape(1, 1);
  between.set_bytes(64);
  const archive::Cuts cuts = cuts_of(manifest);
  EXPECT_EQ(cuts.block_count, 2);
  EXPECT_THAT(cuts.may_be_cut, ElementsAre(1, 0, 1, 1));
}

TEST(Cuts, ATensorThatIsReturnedMayBeCut) {
  v1::Manifest manifest = example_archive().manifest;
  manifest.mutable_output()->mutable_tuple()->add_items()->set_tensor("conv.conv2d:0");
  EXPECT_THAT(cuts_of(manifest).may_be_cut, ElementsAre(1, 0, 1, 1));
}

TEST(Cuts, AnAtomThatKeepsStateStaysAlone) {
  v1::Manifest manifest = example_archive().manifest;
  manifest.mutable_atoms(1)->set_kind(v1::STATEFUL);
  EXPECT_EQ(cuts_of(manifest).block_count, 2);
}

TEST(Value, TextAndTensors) {
  v1::Value value;
  v1::Value::Items& items = *value.mutable_tuple();
  items.add_items()->set_tensor("a");
  v1::Value::Items& dict = *items.add_items()->mutable_dict();
  dict.add_keys("k");
  dict.add_items()->mutable_list()->add_items()->set_constant("w");
  items.add_items()->set_float_value(0.5);
  items.add_items()->set_string_value("s");
  items.add_items()->set_bool_value(true);
  items.add_items()->set_none(true);
  EXPECT_EQ(archive::value_text(value), "(a, {k: [w]}, 0.5, 's', true, none)");
  EXPECT_THAT(archive::tensors_of(value), ElementsAre("a"));
  EXPECT_THAT(archive::constants_of(value), ElementsAre("w"));
  v1::Value single;
  single.mutable_tuple()->add_items()->set_int_value(-1);
  EXPECT_EQ(archive::value_text(single), "(-1,)");
}

}  // namespace
}  // namespace adamec::testing
