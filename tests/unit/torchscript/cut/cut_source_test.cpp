// What is cut where, and what is stored, on small programs. Every split_source() call also verifies
// that the atoms give bit-identical results.
#include <gtest/gtest.h>

#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

TEST(Cut, StoresASharedWeightOnce) {
  const auto result =
      split_source(R"(
def forward(self, ids: Tensor):
    x = torch.embedding(self.table, ids)
    return torch.matmul(torch.relu(x), self.table.t())
)",
                   {"int64[1,5]<100"}, [](torch::jit::Module& module) {
                     module.register_parameter("table", torch::randn({100, 64}), false);
                   });
  int weights = 0;
  std::uint64_t bytes = 0;
  for (const auto& tensor : result.manifest.tensors()) {
    weights += tensor.role() == v1::WEIGHT ? 1 : 0;
  }
  for (const auto& record : result.records) bytes += record.bytes.size();
  EXPECT_EQ(weights, 1);
  EXPECT_LT(bytes, 2u * 100 * 64 * 4);
}

TEST(Cut, SlicesOfAWeightAreStoredOnlyOnce) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    a, b = self.w.chunk(2)
    return torch.matmul(x, a), torch.matmul(x, b)
)",
                                   {"float32[1,64]"}, [](torch::jit::Module& module) {
                                     module.register_parameter("w", torch::randn({128, 64}), false);
                                   });
  std::uint64_t bytes = 0;
  for (const auto& record : result.records) bytes += record.bytes.size();
  EXPECT_LT(bytes, 128u * 64 * 4 * 5 / 4);
}

TEST(Cut, LargeConstantsAreComputedNotStored) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    return x + torch.ones([512, 512]).cumsum(0)
)",
                                   {"float32[512,512]"});
  std::uint64_t bytes = 0;
  for (const auto& record : result.records) bytes += record.bytes.size();
  EXPECT_LT(bytes, 16384u);
  EXPECT_EQ(result.manifest.atoms_size(), 1);
}

TEST(Cut, MarksViewsAndRandomOperators) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    y = x.permute([1, 0]).contiguous()
    return torch.dropout(y, 0.5, True) + torch.rand_like(y), torch.dropout(x, 0.5, False)
)",
                                   {"float32[3,4]"});
  EXPECT_EQ(result.manifest.atoms(0).kind(), v1::VIEW);
  int random = 0;
  for (const auto& atom : result.manifest.atoms()) random += atom.nondeterministic() ? 1 : 0;
  EXPECT_EQ(random, 2);
  // Dropout that drops nothing is no work: the result is the input itself.
  EXPECT_EQ(result.manifest.output().tuple().items(1).tensor(), "x");
}

TEST(Cut, RandomNumbersAreNotFolded) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    noise = torch.empty([3]).uniform_(0.0, 1.0)
    return x + noise, torch.randn([3]) * 2
)",
                                   {"float32[3]"});
  int random = 0;
  for (const auto& atom : result.manifest.atoms()) random += atom.nondeterministic() ? 1 : 0;
  EXPECT_EQ(random, 2) << operators(result);
}

TEST(Cut, SeveralResultsOfOneOperator) {
  const auto result = split_source(R"(
def forward(self, x: Tensor):
    values, indices = torch.topk(x, 2)
    a, b = torch.split(x, 2)
    return torch.relu(values), indices, a - b
)",
                                   {"float32[4,5]"});
  EXPECT_EQ(operators(result), "aten::topk aten::split aten::relu aten::sub");
}

}  // namespace
}  // namespace adamec::testing
