#include "adamec/report/plan_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "adamec/report/document.h"
#include "tests/support/run_command.h"

namespace adamec::report {
namespace {

using testing::compare_golden;
using ::testing::HasSubstr;
using testing::source_path;

class GoldenPlan : public ::testing::TestWithParam<const char*> {
 protected:
  GoldenPlan()
      : costs_(
            plan::read_cost_graph(source_path("tests/golden/plan/") + GetParam() + ".costs.json")),
        evaluator_(costs_),
        plan_(plan::find_optimal(evaluator_)),
        baselines_(plan::compare(evaluator_, plan_)) {}

  std::string golden(const char* extension, const std::string& text) const {
    return compare_golden(std::string("plan/") + GetParam() + extension, text);
  }

  plan::CostGraph costs_;
  plan::Evaluator evaluator_;
  plan::Plan plan_;
  std::vector<plan::Competitor> baselines_;
};

TEST_P(GoldenPlan, JsonYamlDotAndTable) {
  const Document document = plan_document(costs_, plan_, baselines_);
  EXPECT_EQ(golden(".plan.json", to_json(document)), "");
  EXPECT_EQ(golden(".plan.yaml", to_yaml(document)), "");
  EXPECT_EQ(golden(".plan.dot", plan_dot(costs_, plan_)), "");
  EXPECT_EQ(golden(".table.txt", comparison_table(costs_, baselines_)), "");
}

// Reads the YAML back and compares it with the document, value by value.
void expect_same(const YAML::Node& yaml, const Document& document, const std::string& where) {
  SCOPED_TRACE(where);
  if (document.is_object()) {
    ASSERT_TRUE(yaml.IsMap());
    ASSERT_EQ(yaml.size(), document.size());
    for (const auto& [key, value] : document.items()) {
      expect_same(yaml[key], value, where + "." + key);
    }
  } else if (document.is_array()) {
    ASSERT_TRUE(yaml.IsSequence());
    ASSERT_EQ(yaml.size(), document.size());
    for (std::size_t i = 0; i < document.size(); ++i) {
      expect_same(yaml[i], document[i], where + "[" + std::to_string(i) + "]");
    }
  } else if (document.is_number_float()) {
    EXPECT_EQ(yaml.as<double>(), document.get<double>());
  } else if (document.is_null()) {
    EXPECT_TRUE(yaml.IsNull());
  } else {
    EXPECT_EQ(yaml.Scalar(), document.is_string() ? document.get<std::string>() : document.dump());
  }
}

TEST_P(GoldenPlan, YamlAndJsonReadBackEqual) {
  const Document document = plan_document(costs_, plan_, baselines_);
  EXPECT_EQ(Document::parse(to_json(document)), document);
  expect_same(YAML::Load(to_yaml(document)), document, "plan");
}

TEST_P(GoldenPlan, HasTheFieldsOfTheFormatInOrder) {
  std::vector<std::string> keys;
  const Document document = plan_document(costs_, plan_, {});
  for (const auto& item : document.items()) keys.push_back(item.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"objective", "latency_ms", "lower_bound_ms", "gap",
                                            "placement", "blocks", "transfers", "breakdown",
                                            "memory_bytes"}));
}

INSTANTIATE_TEST_SUITE_P(All, GoldenPlan, ::testing::Values("toy", "mixed", "budget"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Document, TextsThatYamlWouldReadOtherwiseAreQuoted) {
  Document document;
  for (const char* text : {"yes", "NO", "null", "1", "1e3", "0x10", "~", "", "a: b", "- a", "#",
                           "x:0", "1:20", ".inf", "NaN", "a\nb", "\"", "{", "plain.name-1/2"}) {
    document.push_back(text);
  }
  const std::string yaml = to_yaml(document);
  EXPECT_THAT(yaml, HasSubstr("- \"yes\"\n- \"NO\"\n- \"null\"\n- \"1\"\n"));
  EXPECT_THAT(yaml, HasSubstr("- plain.name-1/2\n"));
  expect_same(YAML::Load(yaml), document, "document");
}

TEST(Document, NumbersReadBackEqual) {
  const Document document{0.1 + 0.2,           1e-300, 5e-324, 1.7976931348623157e308, 0.0,
                          12345678901234567ull};
  expect_same(YAML::Load(to_yaml(document)), document, "document");
  EXPECT_EQ(Document::parse(to_json(document)), document);
}

TEST(PlanDot, EscapesNames) {
  v1::CostGraph message;
  message.add_tiers()->set_name("a\"b\\");
  const plan::CostGraph costs = plan::make_cost_graph(message, "f");
  EXPECT_THAT(plan_dot(costs, plan::find_optimal(plan::Evaluator(costs))),
              HasSubstr("tier0 [label=\"a\\\"b\\\\\""));
}

}  // namespace
}  // namespace adamec::report
