#include "adamec/plan/cost/cost_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "adamec/base/error.h"
#include "tests/support/run_command.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::toy_message;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct BadGraph {
  const char* name;
  std::function<void(v1::CostGraph&)> spoil;
  const char* message;
};

class BadCostGraph : public ::testing::TestWithParam<BadGraph> {};

TEST_P(BadCostGraph, IsRefusedInOneLine) {
  v1::CostGraph message = toy_message();
  GetParam().spoil(message);
  try {
    (void)make_cost_graph(message, "f.json");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailed);
    EXPECT_THAT(error.what(), StartsWith("f.json: "));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadCostGraph,
    ::testing::Values(
        BadGraph{"NoTiers", [](auto& m) { m.clear_tiers(); }, "tiers: 0 given, expected 1 to 64"},
        BadGraph{"TooManyTiers",
                 [](auto& m) {
                   for (int i = 0; i < 70; ++i) m.add_tiers()->set_name("t" + std::to_string(i));
                 },
                 "tiers: 72 given, expected 1 to 64"},
        BadGraph{"UnnamedTier", [](auto& m) { m.mutable_tiers(1)->clear_name(); },
                 "tiers[1].name: expected a name"},
        BadGraph{"TwoTiersOfOneName", [](auto& m) { m.mutable_tiers(1)->set_name("device"); },
                 "two tiers have the name 'device'"},
        BadGraph{"LinkFromNowhere", [](auto& m) { m.mutable_links(0)->set_from("moon"); },
                 "links[0].from: unknown tier 'moon'"},
        BadGraph{"LinkToItself", [](auto& m) { m.mutable_links(0)->set_to("device"); },
                 "links[0]: connects 'device' with itself"},
        BadGraph{"TwoEqualLinks", [](auto& m) { *m.add_links() = m.links(0); },
                 "links[2]: two links lead from 'device' to 'edge'"},
        BadGraph{"NoPathBetweenTiers", [](auto& m) { m.clear_links(); },
                 "links: no path between tiers 'device' and 'edge'"},
        BadGraph{"TierCutOff",
                 [](auto& m) {
                   m.add_tiers()->set_name("cloud");
                   for (auto& atom : *m.mutable_atoms()) atom.add_latency_ms(1);
                   m.mutable_outputs(0)->set_tier("cloud");
                 },
                 "links: no path between tiers 'device' and 'cloud'"},
        BadGraph{"NoBandwidth", [](auto& m) { m.mutable_links(0)->set_bytes_per_second(0); },
                 "links[0].bytes_per_second: 0 is not a bandwidth"},
        BadGraph{"NegativeBandwidth", [](auto& m) { m.mutable_links(1)->set_bytes_per_second(-1); },
                 "links[1].bytes_per_second: -1 is not a bandwidth"},
        BadGraph{"EndlessBandwidth",
                 [](auto& m) { m.mutable_links(1)->set_bytes_per_second(kInfinity); },
                 "links[1].bytes_per_second: inf is not a bandwidth"},
        BadGraph{"NegativeLinkLatency", [](auto& m) { m.mutable_links(0)->set_latency_ms(-2); },
                 "links[0].latency_ms: -2 is not a time"},
        BadGraph{"HopelessBandwidth",
                 [](auto& m) { m.mutable_links(0)->set_bytes_per_second(1e-30); },
                 "tensors[0].bytes over the slowest link"},
        BadGraph{"UnnamedTensor", [](auto& m) { m.mutable_tensors(0)->clear_id(); },
                 "tensors[0].id: expected an id"},
        BadGraph{"TwoTensorsOfOneName", [](auto& m) { m.mutable_tensors(1)->set_id("x"); },
                 "two tensors have the id 'x'"},
        BadGraph{"HugeTensor", [](auto& m) { m.mutable_tensors(1)->set_bytes(1ull << 60); },
                 "tensors[1].bytes: 1152921504606846976 is too large"},
        BadGraph{"UnnamedAtom", [](auto& m) { m.mutable_atoms(1)->clear_id(); },
                 "atoms[1].id: expected an id"},
        BadGraph{"TwoAtomsOfOneName", [](auto& m) { m.mutable_atoms(1)->set_id("a"); },
                 "two atoms have the id 'a'"},
        BadGraph{"UnknownInput", [](auto& m) { m.mutable_atoms(1)->set_inputs(0, "z"); },
                 "atom 'b': inputs: unknown tensor 'z'"},
        BadGraph{"UnknownOutput", [](auto& m) { m.mutable_atoms(1)->set_outputs(0, "z"); },
                 "atom 'b': outputs: unknown tensor 'z'"},
        BadGraph{"TwoProducers", [](auto& m) { m.mutable_atoms(1)->add_outputs("t"); },
                 "tensor 't' is an output of two atoms, 'a' and 'b'"},
        BadGraph{"Cycle", [](auto& m) { m.mutable_atoms(0)->add_inputs("y"); },
                 "the atoms form a cycle through"},
        BadGraph{"OwnOutputAsInput", [](auto& m) { m.mutable_atoms(0)->add_inputs("t"); },
                 "the atoms form a cycle through 'a'"},
        BadGraph{"TooFewLatencies",
                 [](auto& m) { m.mutable_atoms(0)->mutable_latency_ms()->RemoveLast(); },
                 "atom 'a': latency_ms: 1 numbers, expected 2, one per tier"},
        BadGraph{"TooManyLatencies", [](auto& m) { m.mutable_atoms(0)->add_latency_ms(1); },
                 "atom 'a': latency_ms: 3 numbers, expected 2, one per tier"},
        BadGraph{"NegativeLatency", [](auto& m) { m.mutable_atoms(0)->set_latency_ms(1, -0.5); },
                 "atom 'a': latency_ms: -0.5 is not a time"},
        BadGraph{"LatencyNotANumber", [](auto& m) { m.mutable_atoms(0)->set_latency_ms(0, kNaN); },
                 "atom 'a': latency_ms: nan is not a time"},
        BadGraph{"EndlessLatency",
                 [](auto& m) { m.mutable_atoms(0)->set_latency_ms(0, kInfinity); },
                 "atom 'a': latency_ms: inf is not a time"},
        BadGraph{"HugeWeights", [](auto& m) { m.mutable_atoms(0)->set_weight_bytes(~0ull); },
                 "atom 'a': weight_bytes: 18446744073709551615 is too large"},
        BadGraph{"HugeActivations",
                 [](auto& m) { m.mutable_atoms(0)->set_activation_bytes(1ull << 51); },
                 "atom 'a': activation_bytes: 2251799813685248 is too large"},
        BadGraph{"HugeSumOfWeights",
                 [](auto& m) {
                   for (auto& atom : *m.mutable_atoms()) atom.set_weight_bytes(1ull << 50);
                 },
                 "sum of all weight_bytes"},
        BadGraph{"AtomOnUnknownTier", [](auto& m) { m.mutable_atoms(0)->add_tiers("moon"); },
                 "atom 'a': tiers: unknown tier 'moon'"},
        BadGraph{"AtomTwiceOnATier",
                 [](auto& m) {
                   m.mutable_atoms(0)->add_tiers("edge");
                   m.mutable_atoms(0)->add_tiers("edge");
                 },
                 "atom 'a': tiers: 'edge' is listed twice"},
        BadGraph{"UnknownInputTensor", [](auto& m) { m.mutable_inputs(0)->set_tensor("z"); },
                 "inputs[0].tensor: unknown tensor 'z'"},
        BadGraph{"InputTwice", [](auto& m) { *m.add_inputs() = m.inputs(0); },
                 "inputs[1].tensor: tensor 'x' is listed twice"},
        BadGraph{"InputWithoutTier", [](auto& m) { m.mutable_inputs(0)->clear_tier(); },
                 "inputs[0].tier: unknown tier ''"},
        BadGraph{"ProducedInput",
                 [](auto& m) {
                   v1::CostGraph::Endpoint* input = m.add_inputs();
                   input->set_tensor("t");
                   input->set_tier("edge");
                 },
                 "inputs[1].tensor: tensor 't' is produced by atom 'a'"},
        BadGraph{"TensorFromNowhere", [](auto& m) { m.clear_inputs(); },
                 "tensor 'x': no atom produces it and it is not among the inputs"},
        BadGraph{"UnknownOutputTensor", [](auto& m) { m.mutable_outputs(0)->set_tensor("z"); },
                 "outputs[0].tensor: unknown tensor 'z'"},
        BadGraph{"OutputTwice", [](auto& m) { *m.add_outputs() = m.outputs(0); },
                 "outputs[1].tensor: tensor 'y' is listed twice"},
        BadGraph{"OutputOnUnknownTier", [](auto& m) { m.mutable_outputs(0)->set_tier("moon"); },
                 "outputs[0].tier: unknown tier 'moon'"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CostGraph, KeepsWhatTheMessageSays) {
  v1::CostGraph message = toy_message();
  message.mutable_tiers(1)->set_memory_bytes(77);
  message.mutable_atoms(1)->add_tiers("edge");
  message.mutable_outputs(0)->clear_tier();
  const CostGraph costs = make_cost_graph(message, "f.json");
  EXPECT_EQ(costs.name, "toy");
  EXPECT_EQ(costs.tiers[1].memory_bytes, 77u);
  EXPECT_DOUBLE_EQ(costs.link(0, 1)->transfer_ms(2000), 2);
  EXPECT_DOUBLE_EQ(costs.link(1, 0)->transfer_ms(2000), 1);
  EXPECT_FALSE(costs.link(0, 0));
  EXPECT_EQ(costs.atoms[0].latency_ms, (std::vector<double>{12, 1.5}));
  EXPECT_EQ(costs.atoms[0].allowed, (std::vector<char>{1, 1}));
  EXPECT_EQ(costs.atoms[1].allowed, (std::vector<char>{0, 1}));
  EXPECT_EQ(costs.outputs[0].tier, -1);
}

TEST(CostGraphJson, ReadsWhatItWrites) {
  v1::CostGraph message = toy_message();
  message.mutable_atoms(0)->set_latency_ms(0, 0.1 + 0.2);
  message.mutable_atoms(1)->add_tiers("edge");
  const testing::TemporaryFolder folder;
  const std::string path = folder.write("f.json", cost_message_json(message));
  EXPECT_EQ(read_cost_message(path).SerializeAsString(), message.SerializeAsString());
}

TEST(CostGraphJson, NamesFileAndFieldOfWhatItCannotRead) {
  const testing::TemporaryFolder folder;
  const auto message_for = [&](const std::string& text) -> std::string {
    const std::string path = folder.write("f.json", text);
    try {
      (void)read_cost_graph(path);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), StartsWith(path + ": "));
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message_for(R"({"name": "n", "atmos": []})"), HasSubstr("atmos"));
  EXPECT_THAT(message_for(R"({"tiers": [{"name": "d", "memory": 3}]})"), HasSubstr("memory"));
  EXPECT_THAT(message_for(R"({"atoms": [{"id": "a", "latency_ms": ["soon"]}]})"),
              HasSubstr("latency_ms"));
  EXPECT_THAT(message_for(R"({"tensors": [{"id": "x", "bytes": -1}]})"), HasSubstr("bytes"));
  EXPECT_THAT(message_for("{"), HasSubstr("not a cost graph"));
  EXPECT_THAT(message_for(""), HasSubstr("f.json: "));
  EXPECT_THAT(message_for("version https://git-lfs.github.com/spec/v1\n"),
              HasSubstr("not a cost graph"));
}

}  // namespace
}  // namespace adamec::plan
