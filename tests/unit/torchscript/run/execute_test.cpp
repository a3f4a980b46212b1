#include "adamec/torchscript/run/execute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/torchscript/split/split_source.h"

namespace adamec::testing {
namespace {

using ::testing::HasSubstr;
using torchscript::AtomExecutor;

c10::impl::GenericDict tensors_by_name(
    const std::vector<std::pair<std::string, at::Tensor>>& entries) {
  c10::impl::GenericDict dict(c10::StringType::get(), c10::TensorType::get());
  for (const auto& [name, tensor] : entries) dict.insert(name, tensor);
  return dict;
}

// A model cut into atoms, and what it takes to run them.
class Cut {
 public:
  Cut(const std::string& source, const std::vector<std::string>& inputs)
      : result_(split_source(source, inputs)) {
    for (const auto& record : result_.records) records_[record.name] = record.bytes;
  }

  // What differs between the atoms' results and `expected`, or the reason why they do not run.
  std::string difference(const std::vector<c10::IValue>& arguments, const c10::IValue& expected) {
    AtomExecutor executor(
        result_.manifest, [&](const std::string& name) { return records_.at(name); }, false);
    try {
      executor.run(arguments);
    } catch (const Error& error) {
      return error.what();
    }
    return executor.difference(expected);
  }

 private:
  torchscript::SplitResult result_;
  std::map<std::string, std::string_view> records_;
};

TEST(AtomExecutor, FindsTheEntriesOfDictsByTheirKeys) {
  Cut cut("def forward(self, x: Dict[str, Tensor]):\n    return x['a'] - x['b']\n",
          {"{a:float32[2],b:float32[2]}"});
  const at::Tensor a = at::full({2}, 5.0F);
  const at::Tensor b = at::full({2}, 3.0F);
  const at::Tensor c = at::full({2}, 2.0F);
  EXPECT_EQ(cut.difference({tensors_by_name({{"a", a}, {"b", b}})}, c), "");
  EXPECT_EQ(cut.difference({tensors_by_name({{"b", b}, {"a", a}})}, c), "");
  EXPECT_THAT(cut.difference({tensors_by_name({{"a", a}, {"c", b}})}, c), HasSubstr("'x'"));
  EXPECT_THAT(cut.difference({tensors_by_name({{"a", a}})}, c), HasSubstr("'x'"));
  EXPECT_THAT(cut.difference({tensors_by_name({{"a", a}, {"b", b}, {"c", c}})}, c),
              HasSubstr("'x'"));
}

TEST(AtomExecutor, ComparesTheEntriesOfDictsByTheirKeys) {
  Cut cut("def forward(self, x):\n    return {'a': x + 1, 'b': x + 2}\n", {"float32[2]"});
  const at::Tensor x = at::zeros({2});
  EXPECT_EQ(cut.difference({x}, tensors_by_name({{"a", x + 1}, {"b", x + 2}})), "");
  EXPECT_EQ(cut.difference({x}, tensors_by_name({{"b", x + 2}, {"a", x + 1}})), "");
  EXPECT_NE(cut.difference({x}, tensors_by_name({{"a", x + 1}, {"c", x + 2}})), "");
  EXPECT_NE(cut.difference({x}, tensors_by_name({{"a", x + 2}, {"b", x + 2}})), "");
}

TEST(AtomExecutor, RefusesAnotherNumberOfArguments) {
  Cut cut("def forward(self, x, y):\n    return x + y\n", {"float32[2]", "float32[2]"});
  const at::Tensor x = at::zeros({2});
  EXPECT_EQ(cut.difference({x, x}, x), "");
  EXPECT_THAT(cut.difference({x}, x), HasSubstr("1 arguments"));
  EXPECT_THAT(cut.difference({x, x, x}, x), HasSubstr("3 arguments"));
}

}  // namespace
}  // namespace adamec::testing
