#include "adamec/measure/atom_runner.h"

#include <gtest/gtest.h>

#include <sstream>

#include "adamec/base/error.h"
#include "adamec/measure/synthesis/synthesis.h"
#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/split/operator_atom.h"

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

// What reads a table of `rows` rows at the places that its input names.
AtomProgram embedding_program(int rows) {
  torch::jit::Module module("Table");
  module.register_buffer("table", torch::ones({rows, 4}));
  module.define("def forward(self, x: Tensor):\n    return torch.embedding(self.table, x)\n");
  std::ostringstream record;
  module.save(record);
  AtomProgram program{"table", record.str(), std::vector<AtomInput>(1)};
  program.inputs[0].type.set_dtype(v1::INT64);
  program.inputs[0].type.add_shape(100);
  return program;
}

// Integers may be indices, and only 0 is one everywhere.
TEST(AtomRunner, MakesIntegersThatAreValidIndices) {
  EXPECT_NO_THROW(load_atom(embedding_program(2), {})->run());
  EXPECT_NO_THROW(load_atom(embedding_program(1), {})->run());
}

// LibTorch prepares quantised weights for the number of threads of their first run.
TEST(AtomRunner, RunsQuantisedAtomsWithAnyNumberOfThreads) {
  const v1::Operator call = parse_operator(
      "quantized::conv2d_relu.new(qx=quint8[1,96,14,14],weight=weight "
      "qint8[576,96,1,1],bias=weight "
      "float32[576],stride=[1, 1],padding=[0, 0],dilation=[1, 1],output_padding=[0, 0],groups=1,"
      "transposed=false,output_scale=0.02,output_zero_point=0)");
  const torchscript::SplitResult made = torchscript::operator_atom(call, "conv", 0);
  AtomProgram program{"conv", made.records.at(0).bytes, std::vector<AtomInput>(1)};
  program.inputs[0].type = call.arguments(0).tensors(0);
  const std::unique_ptr<Runnable> atom = load_atom(program, {});
  const int before = at::get_num_threads();
  for (const unsigned threads : {1U, 2U, 1U, 2U}) {
    set_threads(threads);
    EXPECT_NO_THROW(atom->run()) << threads;
  }
  set_threads(static_cast<unsigned>(before));
}

}  // namespace
}  // namespace adamec::measure
