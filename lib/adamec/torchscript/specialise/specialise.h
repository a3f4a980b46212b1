#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/run/tensor_info.h"
#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/unsupported.h"

namespace adamec::torchscript {

// A model specialised for its example inputs: one straight-line graph of tensor operators.
//
// Its inputs are the tensors among the model's inputs, then its state, then the weights; its
// outputs are the tensors among the model's results, then the state for the next run. Branches,
// loops and scalar code are gone, except where they depend on the content of tensors: then they are
// nodes with blocks. In-place operators are functional wherever that is provably the same.
struct Residual {
  std::shared_ptr<jit::Graph> graph;
  // Something the model keeps from one run to the next, as a tensor. Numbers are tensors without
  // dimensions; what may be None is a bool tensor (is it there?) and the content.
  struct State {
    std::string name;  // path in the model: "decoder.hidden.0"
    jit::Value* value = nullptr;
    at::Tensor initial;    // before the first run
    std::size_t next = 0;  // index among the graph's outputs: the value in the next run
  };
  struct Weight {
    jit::Value* value = nullptr;
    std::string name;     // path in the model: "layer1.0.conv1.weight"
    c10::IValue content;  // a tensor, or an object such as the packed weights of quantised models
    bool requires_grad = false;  // in the model
  };
  std::vector<jit::Value*> inputs;  // tensors among the model's inputs, depth first
  std::vector<State> states;
  std::vector<Weight> weights;
  KnownValuePtr output;  // leaves: tensors of the graph, constant tensors, known scalars
  std::unordered_set<const jit::Node*> views;     // re-interpret memory, compute nothing
  std::unordered_set<const jit::Node*> portable;  // cheap or constant: may be duplicated
  // Places where a shape that depends on the model's state is taken for granted; the graph raises
  // an exception that begins with this text where it has changed.
  std::vector<std::string> guards;
  // Whether the atoms' weights require gradients where the model's do. They need not to run, but
  // LibTorch 2.x chooses how to multiply matrices by it.
  bool weights_require_grad = false;
  // Where sizes are open: what queries of sizes gave, by their place in the program.
  std::map<std::string, std::int64_t> answers;

  // The weight with this value, which must be a weight's.
  [[nodiscard]] const Weight& weight_of(const jit::Value* value) const;
  [[nodiscard]] Weight& weight_of(const jit::Value* value);
};

// Partial evaluation of `method` for the example arguments (without self), which it may write to.
//
// The program is run once, operator by operator. Everything that does not depend on the content of
// the input tensors is computed now; operators on them are copied to the residual graph. What
// depends on content is tracked value by value, so only what is independent of it is ever folded.
//
// What the model writes to its attributes becomes its state: inputs and outputs of the graph that
// are never folded. Shapes of state are taken for granted where they stay the same over several
// runs; then the graph checks them (Residual::guards).
//
// `others`: the same arguments with other sizes; then sizes that differ among them stay open in the
// graph, and it checks those that it takes for granted. Models with state keep their sizes.
//
// Throws Unsupported, and Error(kFailed) when the model itself raises for these inputs.
[[nodiscard]] Residual specialise(const jit::Module& module, const std::string& method,
                                  const std::vector<c10::IValue>& arguments,
                                  const std::vector<std::vector<c10::IValue>>& others = {});

// Innermost calls first, so that every node's call stack names all modules it lies in: this is what
// LibTorch does while its optimizer is on. It keeps what it made of a function the first time.
void inline_calls(jit::Graph& graph);

}  // namespace adamec::torchscript
