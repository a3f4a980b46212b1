// What cannot be cut is named: the construct, its line in the model's code, and what to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamec/base/error.h"
#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::string warning_for(const std::string& source, const std::vector<std::string>& inputs) {
  const auto result = split_source(source, inputs);
  EXPECT_EQ(result.manifest.atoms_size(), 1);
  return result.warnings.empty() ? "" : result.warnings.front();
}

std::string error_for(const std::string& source, const std::vector<std::string>& inputs) {
  try {
    split_source(source, inputs);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Unsupported, NamesTheNodeItsLineAndWhatToDo) {
  EXPECT_THAT(warning_for(R"(
def forward(self, x):
    c = torch.zeros([3])
    if bool(x.sum() > 0):
        c.add_(2)
    return c + x
)",
                          {"float32[3]"}),
              AllOf(ContainsRegex("prim::If at [^ ]+:[0-9]+: a branch or loop on data writes"),
                    HasSubstr("change that line"), Not(HasSubstr("\n"))));
}

TEST(Unsupported, OutputsThatAreNoTensors) {
  EXPECT_THAT(error_for(R"(
def forward(self, x):
    c = torch.zeros([3])
    if bool(x.sum() > 0):
        c.add_(2)
    return str(int((c + x).sum()))
)",
                        {"float32[3]"}),
              AllOf(HasSubstr("the model returns a str"), HasSubstr("return it as a tensor")));
}

}  // namespace
}  // namespace adamec::testing
