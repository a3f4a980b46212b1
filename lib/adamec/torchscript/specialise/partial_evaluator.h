#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "adamec/torchscript/specialise/assumptions.h"
#include "adamec/torchscript/specialise/block_copier.h"
#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/model_attributes.h"
#include "adamec/torchscript/specialise/residual_writer.h"
#include "adamec/torchscript/specialise/shape_guards.h"
#include "adamec/torchscript/specialise/specialise.h"
#include "adamec/torchscript/specialise/state_table.h"

namespace adamec::torchscript {

// One attempt of partial evaluation; see specialise(). It goes through the program in the order in
// which it runs and keeps what is known of every value. Its methods stand in
//   partial_evaluator.cpp  values, blocks, nodes
//   control_flow.cpp       branches, loops and calls whose course is known
//   operators.cpp          which operators are folded, which are copied to the residual graph
//   objects.cpp            attributes of modules and of other objects
//   dynamic_blocks.cpp     branches and loops that depend on data
class PartialEvaluator {
 public:
  // The assumptions must outlive this object; it adds to them. `open_sizes`: shapes are not taken
  // for granted.
  PartialEvaluator(const jit::Module& module, const std::string& method, Assumptions& assumptions,
                   bool open_sizes);
  // To be called once. The result counts only when the assumptions have not become more. Throws
  // LearntMore, Unsupported, and Error when the model raises.
  [[nodiscard]] Residual run(const std::vector<c10::IValue>& arguments);

 private:
  void add_input(const KnownValuePtr& argument);
  void run_block(jit::Block* block);
  void run_node(jit::Node* node);
  void run_constant(jit::Node* node);
  [[nodiscard]] KnownValuePtr known(jit::Value* value) const;
  [[nodiscard]] KnownValues known_all(c10::ArrayRef<jit::Value*> values) const;
  void bind(c10::ArrayRef<jit::Value*> values, const KnownValues& known);
  const std::vector<jit::Value*>& dead_after(jit::Block* block, jit::Node* node);

  void run_if(jit::Node* node);
  void run_loop(jit::Node* node);
  void call_method(jit::Node* node);
  [[nodiscard]] bool is_instance(jit::Node* node) const;

  void apply_operator(jit::Node* node);
  [[nodiscard]] bool is_known_query(jit::Node* node, const KnownValues& inputs) const;
  [[nodiscard]] KnownValues fold(jit::Node* node, const KnownValues& inputs);
  void note_folded_writes(jit::Node* node, const KnownValues& inputs, const jit::Stack& arguments);
  [[nodiscard]] KnownValues emit(jit::Node* node, const KnownValues& inputs);
  [[nodiscard]] KnownValuePtr like(jit::Node* node, const KnownValues& inputs);
  void note_views(const jit::Node* copy, const KnownValues& results, const KnownValues& inputs);
  void unlock_written(jit::Node* node, const KnownValues& inputs);
  bool unpack_opaque(jit::Node* node, const KnownValues& inputs);

  void create_object(jit::Node* node);
  void get_attribute(jit::Node* node);
  void set_attribute(jit::Node* node);

  void emit_dynamic(jit::Node* node);
  void bind_dynamic(jit::Node* node, jit::Node* copy, const BlockCopier& copier,
                    const jit::Stack& results);

  const jit::Module module_;
  std::shared_ptr<jit::Graph> program_;
  std::unordered_map<jit::Value*, KnownValuePtr> environment_;
  std::unordered_map<const jit::Node*, std::vector<jit::Value*>> dead_after_;
  std::map<std::string, std::shared_ptr<jit::Graph>> inlined_methods_;
  std::map<std::string, int> dynamic_runs_;  // of branches and loops on data, by construct()

  ModelAttributes attributes_;
  ResidualWriter writer_;
  ShapeGuards guards_;
  StateTable states_;
};

}  // namespace adamec::torchscript
