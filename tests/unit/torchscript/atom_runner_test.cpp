#include "adamec/measure/atom_runner.h"

#include <gtest/gtest.h>

#include <sstream>

#include "adamec/base/error.h"
#include "adamec/torchscript/pch.h"

namespace adamec::measure {
namespace {

// An atom that only runs where 430 of its input's 1000 numbers are subnormal.
AtomProgram picky_program() {
  torch::jit::Module module("Picky");
  module.define(R"(
def forward(self, x: Tensor):
    assert int(((x != 0) & (x.abs() < 1.17549435e-38)).sum()) == 430
    return x
)");
  std::ostringstream record;
  module.save(record);
  AtomProgram program{"picky", record.str(), std::vector<AtomInput>(1)};
  v1::TensorType& type = program.inputs[0].type;
  type.set_dtype(v1::FLOAT32);
  type.add_shape(10);
  type.add_shape(100);
  return program;
}

TEST(AtomRunner, MakesInputsAsSubnormalAsTheirTypeSays) {
  AtomProgram program = picky_program();
  EXPECT_THROW(load_atom(program, {})->run(), Error);
  program.inputs[0].type.set_subnormal_permille(430);
  EXPECT_NO_THROW(load_atom(program, {})->run());
  for (const std::int64_t stride : {1, 10}) program.inputs[0].type.add_strides(stride);
  EXPECT_NO_THROW(load_atom(program, {})->run());
}

}  // namespace
}  // namespace adamec::measure
