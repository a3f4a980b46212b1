// What adamec-split shows of archives and of the difference between two, without running it.
#include "tools/adamec-split/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "adamec/base/error.h"
#include "tests/support/run_command.h"
#include "tests/unit/archive/example_archive.h"
#include "tools/adamec-split/diff.h"

namespace adamec::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::Manifest example() { return example_archive().manifest; }

template <typename Change>
std::vector<tools::Difference> after(Change change) {
  v1::Manifest changed = example();
  change(changed);
  return tools::differences(example(), changed);
}

std::vector<std::string> told(const std::vector<tools::Difference>& found) {
  std::vector<std::string> all;
  for (const auto& difference : found) {
    all.push_back(difference.subject + "|" + difference.id + "|" + difference.change + "|" +
                  difference.before + "|" + difference.after);
  }
  return all;
}

TEST(Inspect, ListsKindsBlocksCutsAndAssumptions) {
  v1::Manifest manifest = example();
  manifest.mutable_atoms(1)->set_kind(v1::STATEFUL);
  manifest.mutable_atoms(1)->set_nondeterministic(true);
  v1::Input& rate = *manifest.add_inputs();
  rate.set_name("rate");
  rate.mutable_value()->set_int_value(16000);
  const std::string text = tools::list_atoms(tools::ManifestView(manifest, "m"));
  EXPECT_THAT(text, HasSubstr("atom "));
  EXPECT_THAT(text, HasSubstr("stateful, random"));
  EXPECT_THAT(text, HasSubstr("input x is float32[1,3,4,4]\n"));
  EXPECT_THAT(text, HasSubstr("input rate is 16000\n"));
  EXPECT_THAT(text, HasSubstr("output (relu:0, w:shared)\n"));
  EXPECT_THAT(text, HasSubstr("2 lossless blocks"));
}

TEST(Inspect, AtomsOfOneBlockAreNeverCutApart) {
  const v1::Manifest manifest = example();  // two atoms, tensors of the same size
  const tools::ManifestView view(manifest, "m");
  EXPECT_EQ(view.cuts().block_count, 1);
  EXPECT_TRUE(view.may_be_cut("x"));
  EXPECT_FALSE(view.may_be_cut("conv.conv2d:0"));
  EXPECT_TRUE(view.may_be_cut("relu:0"));
  EXPECT_FALSE(view.may_be_cut("w:shared"));
  const std::string dot = tools::atom_graph_dot(view);
  EXPECT_THAT(dot, HasSubstr("subgraph cluster_0"));
  EXPECT_THAT(dot, HasSubstr("\"conv.conv2d\" -> \"relu\" [label=\"192 B\", color=grey"));
  EXPECT_THAT(dot, HasSubstr("\"relu\" -> \"the result\" [label=\"192 B\"];"));
}

TEST(Inspect, TheGraphIsDotWhateverTensorsAreCalled) {
  v1::Manifest manifest = example();
  const std::string name = "a\"b\\c";
  manifest.mutable_tensors(0)->set_id(name);
  manifest.mutable_inputs(0)->mutable_value()->set_tensor(name);
  manifest.mutable_atoms(0)->set_inputs(0, name);
  const TemporaryFolder folder;
  folder.write("g.dot", tools::atom_graph_dot(tools::ManifestView(manifest, "m")));
  EXPECT_THAT(folder.read("g.dot"), HasSubstr("\"a\\\"b\\\\c\" -> \"conv.conv2d\""));
}

TEST(Inspect, JsonHoldsEverything) {
  v1::Manifest manifest = example();
  v1::Value::Items& items = *manifest.mutable_output()->mutable_tuple();
  v1::Value::Items& dict = *items.add_items()->mutable_dict();
  dict.add_keys("out");
  dict.add_items()->set_tensor("relu:0");
  items.add_items()->set_none(true);
  manifest.mutable_reduction()->set_operator_atoms(5);
  manifest.mutable_reduction()->add_assumptions("no limit");
  manifest.mutable_atoms(1)->add_members("a");
  manifest.mutable_atoms(1)->add_members("b");
  const auto json = nlohmann::json::parse(tools::manifest_json(tools::ManifestView(manifest, "m")));
  EXPECT_EQ(json["granularity"], "block");
  EXPECT_EQ(json["operator_atoms"], 5);
  EXPECT_EQ(json["inputs"][0]["value"]["tensor"], "x");
  EXPECT_EQ(json["assumptions"][0], "input x is float32[1,3,4,4]");
  EXPECT_EQ(json["assumptions"][1], "blocks: no limit");
  EXPECT_EQ(json["output"]["tuple"][0]["tensor"], "relu:0");
  EXPECT_EQ(json["output"]["tuple"][1]["constant"], "w:shared");
  EXPECT_EQ(json["output"]["tuple"][2]["dict"][0]["tensor"], "relu:0");
  EXPECT_EQ(json["output"]["tuple"][2]["keys"][0], "out");
  EXPECT_EQ(json["output"]["tuple"][3]["none"], true);
  EXPECT_EQ(json["tensors"][0]["shape"], (std::vector<int>{1, 3, 4, 4}));
  EXPECT_EQ(json["tensors"][1]["record"], "weights/shared.pt");
  EXPECT_EQ(json["tensors"][2]["may_be_cut"], false);
  EXPECT_EQ(json["atoms"][1]["members"], (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(json["atoms"][0]["sha256"], manifest.atoms(0).sha256());
  EXPECT_EQ(json["atoms"][1]["block"], 0);
  ASSERT_EQ(json["blocks"].size(), 1u);
  EXPECT_EQ(json["blocks"][0]["atoms"], (std::vector<std::string>{"conv.conv2d", "relu"}));
  EXPECT_EQ(json["blocks"][0]["inputs"], std::vector<std::string>{"x"});
  EXPECT_EQ(json["blocks"][0]["outputs"], std::vector<std::string>{"relu:0"});
}

TEST(Diff, EqualManifestsDoNotDiffer) {
  EXPECT_THAT(tools::differences(example(), example()), IsEmpty());
  EXPECT_EQ(tools::differences_text({}), "");
  EXPECT_EQ(nlohmann::json::parse(tools::differences_json({}))["same"], true);
}

TEST(Diff, TellsWeightsFromConfigurationAndProgram) {
  const std::string other(64, 'a');
  const auto weights = after([&](v1::Manifest& m) { m.mutable_atoms(0)->set_sha256(other); });
  ASSERT_THAT(weights, SizeIs(1));
  EXPECT_EQ(weights[0].change, "program");  // the example's atoms say they hold no weights
  v1::Manifest a = example();
  a.mutable_atoms(0)->set_weight_bytes(5000);
  v1::Manifest b = a;
  b.mutable_atoms(0)->set_sha256(other);
  const auto found = tools::differences(a, b);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].subject, "atom");
  EXPECT_EQ(found[0].id, "conv.conv2d");
  EXPECT_EQ(found[0].change, "weights");
  EXPECT_THAT(found[0].after, HasSubstr("sha256 aaaaaaaaaaaa"));

  const auto configured = after([](v1::Manifest& m) {
    v1::Argument& stride = *m.mutable_atoms(0)->mutable_operators(0)->add_arguments();
    stride.set_name("stride");
    stride.set_literal("[2, 2]");
  });
  EXPECT_THAT(told(configured),
              ElementsAre("atom|conv.conv2d|configuration|aten::conv2d(input=float32[1,3,4,4])|"
                          "aten::conv2d(input=float32[1,3,4,4], stride=[2, 2])"));
}

TEST(Diff, NamesWhatWasAddedRemovedAndReordered) {
  const auto removed = after([](v1::Manifest& m) { m.mutable_atoms()->RemoveLast(); });
  EXPECT_THAT(told(removed), ElementsAre("atom|relu|removed||"));
  const auto added = after([](v1::Manifest& m) {
    v1::Tensor& tensor = *m.add_tensors();
    tensor = m.tensors(0);
    tensor.set_id("more");
  });
  EXPECT_THAT(told(added), ElementsAre("tensor|more|added||float32[1,3,4,4]"));
  const auto moved = after([](v1::Manifest& m) { m.mutable_tensors()->SwapElements(0, 2); });
  EXPECT_THAT(told(moved), ElementsAre("archive|tensors|order||"));
}

TEST(Diff, NamesAssumptionsAndProvenance) {
  EXPECT_THAT(told(after([](v1::Manifest& m) {
                m.set_libtorch_version("2.13.0");
                m.mutable_inputs(0)->mutable_value()->set_int_value(5);
              })),
              ElementsAre("archive|libtorch_version|changed||2.13.0", "input|x|value|x|5"));
  EXPECT_THAT(
      told(after([](v1::Manifest& m) { m.mutable_tensors(0)->mutable_type()->set_shape(0, 8); })),
      ElementsAre("tensor|x|type|float32[1,3,4,4]|float32[8,3,4,4]"));
  EXPECT_THAT(told(after([](v1::Manifest& m) {
                m.mutable_output()->mutable_tuple()->mutable_items()->RemoveLast();
              })),
              ElementsAre("output||structure|(relu:0, w:shared)|(relu:0,)"));
}

// Whatever changes, something is said: also fields that nothing above looks at.
TEST(Diff, SeesEveryField) {
  EXPECT_THAT(told(after([](v1::Manifest& m) {
                m.mutable_atoms(0)->mutable_operators(0)->mutable_arguments(0)->add_numbers(1);
              })),
              SizeIs(1));
  EXPECT_THAT(told(after([](v1::Manifest& m) { m.mutable_tensors(0)->set_bytes(5); })),
              ElementsAre("tensor|x|other fields||"));
}

TEST(Diff, TextHasOneLineEachAndACount) {
  const auto found = after([](v1::Manifest& m) {
    m.set_model_name("b");
    m.mutable_atoms(0)->set_macs(7);
  });
  EXPECT_EQ(tools::differences_text(found),
            "archive model_name: example -> b\natom conv.conv2d: macs: 0 -> 7\n2 differences\n");
}

}  // namespace
}  // namespace adamec::testing
