#include "adamec/train/validation_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/train/trainer.h"
#include "tests/unit/predict/synthetic_samples.h"

namespace adamec::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::string page_of(const std::vector<train::Outcome>& outcomes) {
  const auto table = train::accuracy_table(outcomes);
  return train::validation_html(
      {"A <title>", "sub & title", {{"host", "\"CPU\""}}, table, outcomes});
}

TEST(ValidationHtml, StandsByItself) {
  v1::SampleSet set = synthetic_samples({.configurations = 60, .loads = {0, 0.5}});
  add_synthetic_blocks(set, 1, 0.1);
  const auto outcomes = train::train(train::training_data(set, "", "s"), {}).outcomes;
  const std::string page = page_of(outcomes);
  EXPECT_EQ(page, page_of(outcomes));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_EQ(count_of(page, "http"), count_of(page, "xmlns='http://www.w3.org/2000/svg'"));
  EXPECT_THAT(page, HasSubstr("<h1>A &lt;title&gt;</h1>"));
  EXPECT_THAT(page, HasSubstr("<dd>&quot;CPU&quot;</dd>"));
  EXPECT_GE(count_of(page, "<circle"), outcomes.size());
  EXPECT_EQ(count_of(page, "<section>"), 4u);
  for (const char* text : {"aten::conv2d (", "blocks (", "whole models (", "all atoms",
                           "measurements repeat", "1 thread, load 0.5"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("inf")));
}

TEST(ValidationHtml, OfNothingSaysSo) {
  EXPECT_THAT(page_of({}), HasSubstr("Too little was measured"));
}

}  // namespace
}  // namespace adamec::testing
