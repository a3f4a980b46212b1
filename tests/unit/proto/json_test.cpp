#include "adamec/proto/json.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <cmath>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/v1/costs.pb.h"
#include "tests/support/run_command.h"

namespace adamec {
namespace {

v1::CostGraph parsed(const std::string& text) {
  v1::CostGraph message;
  parse_json(text, message);
  return message;
}

std::string refused(const std::string& text) {
  try {
    parsed(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Json, ReadsWhatProtobufReads) {
  for (const std::string text :
       {R"({})", R"({"name": "a\u00e9\n\"", "tiers": [], "links": null})",
        R"({"tiers": [{"name": "d", "memoryBytes": "18446744073709551615"}, {"memory_bytes": 1e6},
            {"memory_bytes": 2.0, "slowdown": "2.5e-1", "power_watts": -0.0, "name": null}]})",
        R"({"atoms": [{"id": "", "inputs": ["x", "y"], "latencyMs": [1, 2.5, 1e300, -3]}, {}]})",
        R"({"atlas": {"ranges": [{"quantity": "LOAD", "knots": [{"load": 0.5}]},
            {"quantity": 3, "low": "Infinity", "high": "-Infinity"}], "runs": 4}})",
        R"({"outputs": [{"tensor": "t"}], "together": ["a", "b"]})"}) {
    v1::CostGraph expected;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text, &expected).ok()) << text;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(parsed(text), expected))
        << text << "\n"
        << parsed(text).DebugString();
  }
  EXPECT_TRUE(std::isnan(parsed(R"({"links": [{"latency_ms": "NaN"}]})").links(0).latency_ms()));
}

TEST(Json, ReadsItsOwnGoldenFiles) {
  for (const char* name : {"toy", "mixed", "budget"}) {
    const std::string text =
        read_file(testing::source_path(std::string("tests/golden/plan/") + name + ".costs.json"));
    v1::CostGraph expected;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text, &expected).ok());
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(parsed(text), expected));
  }
}

TEST(Json, SaysWhereItStopped) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"atoms": [{}, {"latency_ms": [1, null]}]})",
       "atoms[1].latency_ms[1]: null, expected a number"},
      {R"({"atoms": [{"latency_ms": ["soon"]}]})",
       "atoms[0].latency_ms[0]: \"soon\", expected a number"},
      {R"({"atoms": [{"latency_ms": 1}]})", "atoms[0].latency_ms: 1, expected a list"},
      {R"({"atoms": [{"latency_ms": [[1]]}]})",
       "atoms[0].latency_ms[0]: a list, expected a number"},
      {R"({"atoms": [{"latency_ms": [{}]}]})",
       "atoms[0].latency_ms[0]: an object, expected a number"},
      {R"({"atoms": {}})", "atoms: an object, expected a list"},
      {R"({"atoms": [3]})", "atoms[0]: 3, expected an object"},
      {R"({"name": 3})", "name: 3, expected a string"},
      {R"({"name": ["x"]})", "name: a list, expected a string"},
      {R"({"tensors": [{"bytes": -1}]})",
       "tensors[0].bytes: -1, expected a whole number that is not negative"},
      {R"({"tensors": [{"bytes": 1.5}]})",
       "tensors[0].bytes: 1.5, expected a whole number that is not negative"},
      {R"({"tensors": [{"bytes": 18446744073709551616}]})",
       "tensors[0].bytes: 18446744073709551616, expected"},
      {R"({"tensors": [{"bytes": true}]})", "tensors[0].bytes: true, expected a whole number"},
      {R"({"atlas": {"ranges": [{"quantity": "SPEED"}]}})",
       "atlas.ranges[0].quantity: \"SPEED\", expected one of QUANTITY_UNSPECIFIED, BANDWIDTH"},
      {R"({"atlas": {"ranges": [{"quantity": 77}]}})", "atlas.ranges[0].quantity: 77, expected"},
      {R"({"atlas": {"ranges": [{"knots": [{"size": 1}]}]}})",
       "atlas.ranges[0].knots[0]: unknown key 'size'"},
      {R"({"atmos": []})", "unknown key 'atmos'"},
      {R"({"tiers": [{"memory_bytes": 1, "memoryBytes": 2}]})",
       "tiers[0]: key 'memoryBytes' twice"},
      {R"([])", "a list, expected an object"},
      {R"(3)", "3, expected an object"},
      {R"(null)", "null, expected an object"},
      {R"("x")", "\"x\", expected an object"},
      {"", "line 1, column 1: The document is empty."},
      {"{", "line 1, column 2: Missing a name for object member."},
      {"{}\n{}", "line 2, column 1: The document root must not be followed by other values."},
      {"{\"name\":\n\"\xff\"}", "line 2, column 2: Invalid encoding in string."},
      {std::string("{}\0{}", 5), "line 1, column 3: a zero byte"},
      {std::string("{\0}", 3), "line 1, column 2: "},
      {R"({"links": [{"latency_ms": 01}]})", "line 1, column 28: Missing a comma or"},
      {R"({"links": [{"latency_ms": .5}]})", "line 1, column 27: Invalid value."},
      {std::string(1 << 20, '['), "a list, expected an object"},
      {R"({"links": [{"latency_ms": )" + std::string(5000, '9') + "}]}",
       "line 1, column 27: Number too big"},
      {R"({"links": [{"latency_ms": 1e999}]})", "line 1, column 27: Number too big"}};
  for (const auto& [text, message] : cases) {
    const std::string got = refused(text);
    EXPECT_THAT(got, ::testing::StartsWith(message)) << text.substr(0, 100);
    EXPECT_THAT(got, ::testing::Not(::testing::HasSubstr("\n")));
  }
}

}  // namespace
}  // namespace adamec
