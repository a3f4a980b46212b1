// Constants that are computed, and memory that is written to before or after. Every split_source()
// call also verifies that the atoms give bit-identical results.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

std::uint64_t record_bytes(const torchscript::SplitResult& result) {
  return std::accumulate(
      result.records.begin(), result.records.end(), std::uint64_t{0},
      [](std::uint64_t sum, const auto& record) { return sum + record.bytes.size(); });
}

// 16 KiB: too large to be stored where it can be computed again.
TEST(Constants, MadeBeforeAWriteToWhatTheyWereMadeFrom) {
  const auto known = split_source(R"(
def forward(self, x: Tensor):
    a = torch.zeros([64, 64])
    b = a + 1
    a.fill_(5.0)
    return x + b + a
)",
                                  {"float32[64,64]"});
  EXPECT_EQ(operators(known), "aten::add aten::add");
  const auto input_data = split_source(R"(
def forward(self, x: Tensor):
    a = torch.zeros([64, 64])
    b = a + 1
    a.copy_(x)
    return b + a
)",
                                       {"float32[64,64]"});
  EXPECT_TRUE(input_data.warnings.empty());
  const auto into_the_result = split_source(R"(
def forward(self, x: Tensor):
    a = torch.zeros([64, 64])
    b = a + 1
    a.fill_(5.0)
    b[0] = x[0]
    return b * x, a + x
)",
                                            {"float32[64,64]"});
  EXPECT_TRUE(into_the_result.warnings.empty());
}

TEST(Constants, UsedBeforeAndAfterAWrite) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    a = torch.zeros([64])
    y = x + a
    a.fill_(5.0)
    return y * a
)",
                                   {"float32[64]"});
  EXPECT_EQ(operators(result), "aten::add aten::mul");
  const auto through_a_view = split_source(R"(
def forward(self, x: Tensor):
    a = torch.zeros([64])
    v = a[:2]
    y = x[:2] + v
    a.fill_(5.0)
    return y * v
)",
                                           {"float32[64]"});
  EXPECT_EQ(operators(through_a_view), "aten::slice aten::add aten::mul");
}

TEST(Constants, PartsOfListsThatAreWrittenTo) {
  const auto known = split_source(R"(
def forward(self, x: Tensor):
    base = torch.zeros([4, 64])
    parts = base.chunk(2)
    y = x + parts[0]
    parts[0].add_(1.0)
    return y * parts[0], x + base[0], x + parts[1]
)",
                                  {"float32[2,64]"});
  EXPECT_TRUE(known.warnings.empty());
  const auto input_data = split_source(R"(
def forward(self, x: Tensor):
    base = torch.zeros([4, 64])
    parts = base.chunk(2)
    parts[0].copy_(x)
    parts[1].add_(x)
    return base * 2, parts[0] + x
)",
                                       {"float32[2,64]"});
  EXPECT_TRUE(input_data.warnings.empty()) << input_data.warnings.front();
}

// A copy of the constant in the graph would not see what is written: the model stays whole.
TEST(Constants, WrittenToWhereTheGraphHasAView) {
  for (const std::string write : {"a.fill_(5.0)", "a.add_(x[0])"}) {
    const auto view = split_source(
        "def forward(self, x: Tensor):\n    a = torch.zeros([64])\n    v = a.expand_as(x)\n    " +
            write + "\n    return v * x\n",
        {"float32[2,64]"});
    EXPECT_EQ(view.warnings.size(), 1u) << write;
    // On the branch that the example does not take, too.
    const auto branch = split_source(
        "def forward(self, x: Tensor):\n    a = torch.zeros([64])\n    v = x\n"
        "    if bool(x.sum() > 1000.0):\n        v = a\n    " +
            write + "\n    return v * x + a\n",
        {"float32[64]"});
    EXPECT_EQ(branch.warnings.size(), 1u) << write;
  }
}

// Columns of a list's memory: no two of them are next to each other.
TEST(Constants, PartsOfListsWithStrides) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    base = torch.arange(12).view([3, 4]).float()
    columns = base.unbind(1)
    y = x + columns[1]
    base.fill_(7.0)
    return y, x + columns[1], columns[2]
)",
                                   {"float32[3]"});
  EXPECT_EQ(operators(result), "aten::add aten::add");
}

// Memory that was written to and is gone: what gets its address later is computed all the same.
TEST(Constants, OfMemoryThatWasUsedBefore) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    n = 0.0
    for i in range(20):
        a = torch.zeros([64, 64])
        a[0] = 1.0
        n += float(a.sum())
    c = torch.ones([64, 64]).cumsum(0)
    d = torch.ones([64, 64]).cumsum(1)
    return x + c + n, x * d
)",
                                   {"float32[64,64]"});
  EXPECT_LT(record_bytes(result), 64u * 64 * 4);
}

}  // namespace
}  // namespace adamec::testing
