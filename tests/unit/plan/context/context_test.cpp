#include "adamec/plan/context/context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "tests/support/run_command.h"
#include "tests/unit/plan/toy.h"

namespace adamec::plan {
namespace {

using ::testing::HasSubstr;

const char kContext[] = R"(tiers:
  - {name: phone, predictor: phone.predictor, threads: 1, cpu_load: 0.5, memory: 64MiB, power: 3W}
  - {name: edge, predictor: /models/edge.predictor, threads: 2, slowdown: 0.25, host: abc}
links:
  - {from: phone, to: edge, bandwidth: 20Mbit/s, latency: 5ms, energy: 0.1uJ/B}
  - {from: edge, to: phone, bandwidth: 40Mbit/s}
input: phone
output: edge
constraints: {deadline: 100ms, keep_input_on: phone, pin: {"conv1*": phone}}
)";

TEST(Context, ReadsEveryField) {
  const Context context = parse_context(kContext, "c.yaml", "some/folder");
  ASSERT_EQ(context.tiers.size(), 2u);
  EXPECT_EQ(context.tiers[0].predictor, "some/folder/phone.predictor");
  EXPECT_EQ(context.tiers[0].cpu_load, 0.5);
  EXPECT_EQ(context.tiers[0].memory_bytes, 64u << 20);
  EXPECT_EQ(context.tiers[0].power_watts, 3);
  EXPECT_EQ(context.tiers[0].slowdown, 1);
  EXPECT_EQ(context.tiers[1].predictor, "/models/edge.predictor");
  EXPECT_EQ(context.tiers[1].threads, 2u);
  EXPECT_EQ(context.tiers[1].slowdown, 0.25);
  EXPECT_EQ(context.tiers[1].host, "abc");
  ASSERT_EQ(context.links.size(), 2u);
  EXPECT_DOUBLE_EQ(context.links[0].bytes_per_second, 2.5e6);
  EXPECT_EQ(context.links[0].latency_ms, 5);
  EXPECT_DOUBLE_EQ(context.links[0].joules_per_byte, 1e-7);
  EXPECT_EQ(context.links[1].latency_ms, 0);
  EXPECT_EQ(context.input, "phone");
  EXPECT_EQ(context.output, "edge");
  EXPECT_EQ(context.constraints.deadline_ms, 100);
  EXPECT_EQ(context.constraints.keep_input_on, "phone");
  ASSERT_EQ(context.constraints.pins.size(), 1u);
  EXPECT_EQ(context.constraints.pins[0].pattern, "conv1*");
}

TEST(Context, PathsAreRelativeToTheFile) {
  const testing::TemporaryFolder folder;
  const Context context = read_context(folder.write("c.yaml", kContext));
  EXPECT_EQ(context.tiers[0].predictor, folder.path("phone.predictor"));
}

struct BadEdit {
  const char* name;
  const char* from;  // part of kContext
  const char* to;
  const char* message;
};

class BadContext : public ::testing::TestWithParam<BadEdit> {};

TEST_P(BadContext, IsRefusedWithFileLineAndReason) {
  std::string text = kContext;
  const auto at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string(GetParam().from).size(), GetParam().to);
  try {
    (void)parse_context(text, "c.yaml", "");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailed);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadContext,
    ::testing::Values(
        BadEdit{"UnknownKey", "input: phone", "inptu: phone",
                "c.yaml:7: the context: unknown key 'inptu' (known: tiers, links, input, output, "
                "constraints, atlas)"},
        BadEdit{"UnknownTierKey", "threads: 1", "theads: 1",
                "c.yaml:2: tiers[0]: unknown key 'theads' (known: name, predictor, host, threads, "
                "cpu_load, slowdown, memory, power)"},
        BadEdit{"UnknownLinkKey", "energy:", "joules:",
                "c.yaml:5: links[0]: unknown key 'joules' (known: from, to, bandwidth, latency, "
                "energy, serialisation)"},
        BadEdit{"UnknownConstraint", "deadline:", "deadlin:",
                "c.yaml:9: constraints: unknown key 'deadlin' (known: deadline, keep_input_on, "
                "pin)"},
        BadEdit{"KeyTwice", "threads: 1", "name: phone",
                "c.yaml:2: tiers[0]: key 'name' is given "},
        BadEdit{"ZeroBandwidth", "20Mbit/s", "0Mbit/s",
                "c.yaml:5: links[0].bandwidth: '0Mbit/s': a bandwidth must be greater than zero"},
        BadEdit{"NegativeBandwidth", "20Mbit/s", "-3Mbit/s",
                "c.yaml:5: links[0].bandwidth: '-3Mbit/s' is not a bandwidth"},
        BadEdit{"BandwidthWithoutUnit", "20Mbit/s", "20",
                "c.yaml:5: links[0].bandwidth: '20' is not a bandwidth"},
        BadEdit{"NoBandwidth", "bandwidth: 20Mbit/s, ", "",
                "c.yaml:5: links[0]: key 'bandwidth' is missing"},
        BadEdit{"BadLatency", "latency: 5ms", "latency: soon",
                "c.yaml:5: links[0].latency: 'soon' is not a time"},
        BadEdit{"BadEnergy", "0.1uJ/B", "0.1", "c.yaml:5: links[0].energy: '0.1' is not an energy"},
        BadEdit{"LinkToItself", "to: edge", "to: phone",
                "c.yaml:5: links[0].to: connects 'phone' with itself"},
        BadEdit{"LinkToNowhere", "to: edge", "to: moon",
                "c.yaml:5: links[0].to: unknown tier 'moon' (known: phone, edge)"},
        BadEdit{"LinkTwice", "{from: edge, to: phone,", "{from: phone, to: edge,",
                "c.yaml:6: links[1]: two links lead from 'phone' to 'edge'"},
        BadEdit{"TierTwice", "name: edge", "name: phone",
                "c.yaml:3: tiers[1].name: two tiers have the name 'phone'"},
        BadEdit{"NoPredictor", "predictor: phone.predictor, ", "",
                "c.yaml:2: tiers[0]: key 'predictor' is missing"},
        BadEdit{"NoThreads", "threads: 1", "threads: 0",
                "c.yaml:2: tiers[0].threads: '0' is not a number of threads"},
        BadEdit{"HalfThreads", "threads: 1", "threads: 1.5", "'1.5' is not a number of threads"},
        BadEdit{"HighLoad", "cpu_load: 0.5", "cpu_load: 50",
                "c.yaml:2: tiers[0].cpu_load: '50' is not a load from 0 to 1"},
        BadEdit{"LoadNotANumber", "cpu_load: 0.5", "cpu_load: nan", "'nan' is not a load"},
        BadEdit{"NoSlowdown", "slowdown: 0.25", "slowdown: 0", "'0' is not a factor"},
        BadEdit{"NoMemory", "memory: 64MiB", "memory: 0", "tiers[0].memory: 0 bytes"},
        BadEdit{"BadMemory", "memory: 64MiB", "memory: lots",
                "c.yaml:2: tiers[0].memory: 'lots' is not a size"},
        BadEdit{"BadPower", "power: 3W", "power: 3", "tiers[0].power: '3' is not a power"},
        BadEdit{"NoInput", "input: phone\n", "", "c.yaml:1: the context: key 'input' is missing"},
        BadEdit{"UnknownInput", "input: phone", "input: moon",
                "c.yaml:7: input: unknown tier 'moon' (known: phone, edge)"},
        BadEdit{"UnknownOutput", "output: edge", "output: moon",
                "c.yaml:8: output: unknown tier 'moon' (known: phone, edge)"},
        BadEdit{"BadDeadline", "100ms", "100", "constraints.deadline: '100' is not a time"},
        BadEdit{"InputKeptNowhere", "keep_input_on: phone", "keep_input_on: moon",
                "c.yaml:9: constraints.keep_input_on: unknown tier 'moon'"},
        BadEdit{"PinNowhere", "{\"conv1*\": phone}", "{\"conv1*\": moon}",
                "c.yaml:9: constraints.pin: unknown tier 'moon'"},
        BadEdit{"PinTwice", "{\"conv1*\": phone}", "{a: phone, a: edge}",
                "c.yaml:9: constraints.pin: key 'a' is given twice"},
        BadEdit{"PinList", "{\"conv1*\": phone}", "[conv1]",
                "c.yaml:9: constraints.pin: expected a mapping"},
        BadEdit{"LinksNoList", "links:\n", "links: none\nx:\n", "c.yaml:5: the context: unknown"},
        BadEdit{"ValueIsAList", "name: phone", "name: [phone]",
                "c.yaml:2: tiers[0].name: expected a value"},
        BadEdit{"NotYaml", "tiers:\n", "tiers: [\n", "not YAML"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Context, RefusesWhatIsNoContextAtAll) {
  const auto message_for = [](const std::string& text) -> std::string {
    try {
      (void)parse_context(text, "c.yaml", "");
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message_for(""), HasSubstr("c.yaml:1: the context: expected a mapping of tiers"));
  EXPECT_THAT(message_for("just words"), HasSubstr("expected a mapping"));
  EXPECT_THAT(message_for("tiers: []\ninput: a\n"), HasSubstr("tiers: expected at least one"));
  EXPECT_THAT(message_for("tiers: 3\ninput: a\n"), HasSubstr("c.yaml:1: tiers: expected a list"));
}

TEST(Context, PinsRestrictTheAtomsTheyMatch) {
  Context context;
  context.source = "c.yaml";
  context.constraints.keep_input_on = "device";
  context.constraints.pins = {{"[b-z]", "edge"}};
  v1::CostGraph message = testing::toy_message();
  apply_pins(context, message);
  ASSERT_EQ(message.atoms(0).tiers_size(), 1);
  EXPECT_EQ(message.atoms(0).tiers(0), "device");
  ASSERT_EQ(message.atoms(1).tiers_size(), 1);
  EXPECT_EQ(message.atoms(1).tiers(0), "edge");
}

TEST(Context, PinsThatCannotBeMeantAreErrors) {
  const auto message_for = [](std::vector<PinRule> pins) -> std::string {
    Context context;
    context.source = "c.yaml";
    context.constraints.pins = std::move(pins);
    v1::CostGraph message = testing::toy_message();
    try {
      apply_pins(context, message);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message_for({{"conv*", "edge"}}), "c.yaml: constraints.pin: no atom matches 'conv*'");
  EXPECT_EQ(message_for({{"a", "edge"}, {"*", "device"}}),
            "c.yaml: constraints.pin: atom 'a' is pinned to 'edge' and to 'device'");
  EXPECT_EQ(message_for({{"a", "edge"}, {"*", "edge"}}), "accepted");
}

}  // namespace
}  // namespace adamec::plan
