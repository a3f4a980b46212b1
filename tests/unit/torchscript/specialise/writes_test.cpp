// Operators that write to memory. Every split_source() call also verifies that the atoms give
// bit-identical results.
#include <gtest/gtest.h>

#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

TEST(Writes, MakesInPlaceOperatorsFunctional) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    y = torch.conv1d(x, torch.ones([2, 3, 1]))
    y.relu_()
    y += 1
    return y.mul_(2.0)
)",
                                   {"float32[1,3,8]"});
  EXPECT_EQ(operators(result), "aten::conv1d aten::relu aten::add aten::mul");
}

TEST(Writes, KeepsWritesThroughViewsTogether) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    y = torch.tanh(x)
    y[0] = torch.relu(x)[1] * 2
    y[:, 1].add_(1)
    return y, torch.neg(y)
)",
                                   {"float32[3,4]"});
  int groups = 0;
  for (const auto& atom : result.manifest.atoms()) groups += atom.kind() == v1::GROUP ? 1 : 0;
  EXPECT_EQ(groups, 1);
}

TEST(Writes, WhatReadsAfterTheLastWriteStandsAlone) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    y = torch.tanh(x)
    before = torch.relu(y)
    y[0] = before[1] * 2
    return torch.neg(y) + before
)",
                                   {"float32[3,4]"});
  // relu reads y before it is written to: it belongs to the group; neg reads what it is in the end.
  ASSERT_EQ(result.manifest.atoms_size(), 3) << operators(result);
  EXPECT_EQ(result.manifest.atoms(0).kind(), v1::GROUP);
  EXPECT_EQ(result.manifest.atoms(1).operators(0).name(), "aten::neg");
}

TEST(Writes, WritesInputDataIntoAFreshBuffer) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    y = torch.zeros([3, 4])
    y[2] = 5.0
    z = y + 1
    y[0] = x
    y[1].copy_(torch.relu(x))
    w = x.new_zeros([4])
    w[:2].fill_(3.0)
    return y, z, w + x
)",
                                   {"float32[4]"});
  EXPECT_GE(result.manifest.atoms_size(), 2);
}

TEST(Writes, WritesToAnInputOfTheModel) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    before = torch.relu(x)
    x.add_(1)
    return before, torch.relu(x)
)",
                                   {"float32[4]"});
  EXPECT_EQ(result.manifest.atoms_size(), 1);
}

}  // namespace
}  // namespace adamec::testing
