// The small helpers of this room: messages, copies.
#include <gtest/gtest.h>

#include <stdexcept>

#include "adamec/torchscript/run/copy.h"
#include "adamec/torchscript/run/execute.h"
#include "adamec/torchscript/run/message.h"

namespace adamec::torchscript {
namespace {

std::string reason(const std::string& text) { return reason_of(std::runtime_error(text)); }

TEST(ReasonOf, IsTheFirstLineOfPlainMessages) {
  EXPECT_EQ(reason("no such file."), "no such file");
  EXPECT_EQ(reason("\n  expected a tensor:\nbut got none"), "expected a tensor");
  EXPECT_EQ(reason(""), "");
}

TEST(ReasonOf, IsWhatFollowsTheLastErrorThatIsNamed) {
  const std::string frames =
      "The following operation failed in the TorchScript interpreter.\n"
      "Traceback of TorchScript (most recent call last):\n"
      "  File \"m.py\", line 3, in forward\n"
      "    raise ValueError(\"Error: none\")\n"
      "    ~~~~~ <--- HERE\n";
  EXPECT_EQ(reason(frames + "RuntimeError: sizes differ: 2 and 3."), "sizes differ: 2 and 3");
  EXPECT_EQ(reason(frames + "RuntimeError: \nsizes differ"), "sizes differ");
  EXPECT_EQ(reason(frames + "RuntimeError: AssertionError: x is odd"), "AssertionError: x is odd");
  EXPECT_EQ(reason(frames + "RuntimeError: AssertionError: "), "AssertionError");
  EXPECT_EQ(reason(frames + "torch.jit.Error: x is odd"), "x is odd");
  EXPECT_EQ(reason("RuntimeError: first\nIndexError: second"), "second");
}

// The message without LibTorch's own stack trace, from a program that fails.
TEST(ReasonOf, IsOneLineForFailingPrograms) {
  torch::jit::Module module("Model");
  module.define("def forward(self, x):\n    return x.view([7])\n");
  try {
    module.forward({torch::ones({2})});
    FAIL() << "it ran";
  } catch (const std::exception& error) {
    EXPECT_EQ(reason_of(error), "shape '[7]' is invalid for input of size 2");
  }
}

TEST(CopyOf, KeepsViewsOfOneMemoryApart) {
  const at::Tensor memory = torch::arange(5, torch::kFloat);
  const c10::IValue pair =
      c10::ivalue::Tuple::create({memory.slice(0, 0, 2), memory.slice(0, 2, 5), memory});
  const c10::IValue copy = copy_of(pair);
  memory.zero_();
  const auto& parts = copy.toTupleRef().elements();
  EXPECT_TRUE(bit_identical(parts[0].toTensor(), torch::arange(0, 2, torch::kFloat)));
  EXPECT_TRUE(bit_identical(parts[1].toTensor(), torch::arange(2, 5, torch::kFloat)));
  EXPECT_TRUE(bit_identical(parts[2].toTensor(), torch::arange(5, torch::kFloat)));
}

TEST(CopyOf, KeepsContainersAndTheirTypes) {
  const at::Tensor tensor = torch::ones({2});
  c10::impl::GenericDict dict(c10::StringType::get(), c10::TensorType::get());
  dict.insert("b", tensor);
  dict.insert("a", tensor);
  const c10::IValue list = c10::List<at::Tensor>({tensor, tensor});
  const std::vector<c10::IValue> values{dict, list, c10::IValue(3), c10::IValue("text"),
                                        c10::IValue()};
  const std::vector<c10::IValue> copies = copy_of(values);
  ASSERT_EQ(copies.size(), 5U);
  EXPECT_EQ(copies[0].type()->repr_str(), c10::IValue(dict).type()->repr_str());
  EXPECT_EQ(copies[0].toGenericDict().begin()->key().toStringRef(), "b");
  EXPECT_TRUE(copies[1].isTensorList());
  EXPECT_EQ(copies[2].toInt(), 3);
  EXPECT_EQ(copies[3].toStringRef(), "text");
  EXPECT_TRUE(copies[4].isNone());
  const auto tensors = copies[1].toTensorVector();
  EXPECT_TRUE(tensors[0].is_same(tensors[1]));
  EXPECT_FALSE(tensors[0].is_same(tensor));
}

TEST(CopyOf, KeepsTheLayoutOfQuantisedTensors) {
  const at::Tensor tensor = at::quantize_per_tensor(torch::ones({1, 3, 4, 4}), 0.1, 0, at::kQInt8)
                                .contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(copy_of(c10::IValue(tensor)).toTensor().strides().vec(), tensor.strides().vec());
}

}  // namespace
}  // namespace adamec::torchscript
