// Operators that are not LibTorch's own.
#include <gtest/gtest.h>
#include <torch/library.h>

#include "tests/unit/torchscript/ir_graph.h"
#include "tests/unit/torchscript/split/split_source.h"

TORCH_LIBRARY(adamec_test, library) {
  library.def("answer", [] { return at::full({2}, 42.0F); });
}

namespace adamec::testing {
namespace {

TEST(CustomOperator, MayTakeNothing) {
  const auto model = module_of(R"IR(
graph(%self, %x : Tensor):
  %one : int = prim::Constant[value=1]()
  %answer : Tensor = adamec_test::answer()
  %sum : Tensor = aten::add(%x, %answer, %one)
  return (%sum))IR");
  const auto result = split_module(model, {"float32[2]"});
  EXPECT_TRUE(result.warnings.empty()) << result.warnings.front();
  EXPECT_EQ(operators(result), "adamec_test::answer aten::add");
}

}  // namespace
}  // namespace adamec::testing
