#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/memory_log.h"
#include "adamec/torchscript/specialise/model_attributes.h"
#include "adamec/torchscript/specialise/specialise.h"

namespace adamec::torchscript {

// Writes the residual graph, node by node in the order of the program.
//
// Inputs of the graph are, in this order: tensors of the model's inputs, its state, its weights.
// A constant enters the graph when something that is not constant uses it: as a weight, or computed
// again where its recipe still gives the same. What has entered the graph is what the constant
// holds now: where memory is written to, constants enter it anew.
class ResidualWriter {
 public:
  // The attributes must outlive this object.
  explicit ResidualWriter(const ModelAttributes& attributes);

  [[nodiscard]] jit::Graph& graph() { return *residual_.graph; }
  // Inputs must come before states, and these before weights.
  jit::Value* add_input(const at::Tensor& example);
  jit::Value* add_state(const std::string& name, const at::Tensor& initial);
  jit::Value* add_weight(const std::string& name, const c10::IValue& content,
                         bool requires_grad = false);
  [[nodiscard]] const std::vector<Residual::State>& states() const { return residual_.states; }
  // The value, or what it was before it was checked, is the state in the next run.
  void set_next_state(std::size_t state, jit::Value* next);

  // A copy of the node with other inputs.
  jit::Node* append(jit::Node* original, const std::vector<jit::Value*>& inputs);
  // The value in the graph. Throws Unsupported for objects.
  jit::Value* materialise(const KnownValuePtr& known);
  // A number as a tensor without dimensions, and back: numbers cross from atom to atom as tensors.
  jit::Value* boxed(jit::Value* number);
  jit::Value* unboxed(jit::Value* tensor, const c10::TypePtr& type);
  // The node re-interprets memory and computes nothing; it may be duplicated.
  void mark_view(const jit::Node* node) { residual_.views.insert(node); }
  void mark_portable(const jit::Node* node) { residual_.portable.insert(node); }

  // The value itself; raises an exception with the text when `good` is false. `example`: its
  // tensor.
  jit::Value* checked(jit::Value* value, jit::Value* good, const std::string& text,
                      const at::Tensor& example);
  // What was checked.
  [[nodiscard]] jit::Value* unchecked(jit::Value* value) const;

  // The constant, a tensor or a list, was computed: it is output `output` of the node.
  void set_recipe(const KnownValuePtr& constant, jit::Node* node, const KnownValues& inputs,
                  std::size_t output);
  // Something known is about to be written to a constant's memory. Throws Unsupported when a value
  // of the graph is a view of it.
  void note_write(const jit::Node* node, const at::Tensor& constant);
  // A value of the graph is a view of this constant.
  void note_view_of(const at::Tensor& constant) { viewed_.note(constant); }
  // The same for input data: from here on the memory is part of the graph, its base and all views
  // of it.
  void unlock(const jit::Node* node, const at::Tensor& constant);

  // The model returns the value. Throws Unsupported for what cannot be returned.
  void set_result(const KnownValuePtr& result);
  // The graph, made functional and without what nobody uses. The writer is empty afterwards.
  [[nodiscard]] Residual finish();

 private:
  jit::Value* materialise_constant(const KnownValue& constant);
  jit::Value* append_container(const KnownValue& container);
  jit::Value* append_recipe(const KnownValue& constant, bool portable);
  [[nodiscard]] bool can_be_computed_again(const KnownValue& constant) const;
  void unlock_one(KnownValue& constant);
  void add_outputs(const KnownValuePtr& part);

  const ModelAttributes& attributes_;
  MemoryLog written_;                                // constants
  MemoryLog viewed_;                                 // by values of the graph
  std::vector<std::weak_ptr<KnownValue>> computed_;  // constants, in program order
  std::unordered_map<const jit::Value*, jit::Value*> unchecked_;
  Residual residual_;
};

// Gives the value the tensor's type and shape.
void note_tensor(jit::Value* value, const at::Tensor& tensor);

// All tensors among the values, those in containers too.
void collect_tensors(const KnownValues& all, std::vector<at::Tensor>& tensors);
// The same of those whose content is known.
[[nodiscard]] std::vector<at::Tensor> constant_tensors(const KnownValues& all);

// The number as a tensor without dimensions: bool, int64 or float64.
[[nodiscard]] at::Tensor number_tensor(const c10::IValue& number);

}  // namespace adamec::torchscript
