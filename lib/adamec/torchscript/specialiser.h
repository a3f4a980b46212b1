#pragma once

#include <map>
#include <unordered_map>
#include <utility>

#include "adamec/torchscript/specialise.h"

namespace adamec::torchscript {

// The state of one run of partial evaluation; see specialise(). Its methods stand in
//   specialise.cpp             control flow, attributes, which operators are folded
//   specialise_containers.cpp  lists, tuples, dicts
//   specialise_residual.cpp    writing the residual graph
//   specialise_dynamic.cpp     branches and loops that depend on data
class Specialiser {
 public:
  Specialiser(const jit::Module& module, const std::string& method);
  Residual run(const std::vector<c10::IValue>& arguments);

 private:
  using Items = std::vector<ItemPtr>;

  // specialise.cpp
  void run_block(jit::Block* block);
  void run_node(jit::Node* node);
  void run_if(jit::Node* node);
  void run_loop(jit::Node* node);
  void get_attribute(jit::Node* node);
  void call_method(jit::Node* node);
  void apply_operator(jit::Node* node);
  bool is_known_query(jit::Node* node, const Items& inputs) const;
  Items fold(jit::Node* node, const Items& inputs);
  ItemPtr item(jit::Value* value) const;
  Items items(c10::ArrayRef<jit::Value*> values) const;
  void bind(c10::ArrayRef<jit::Value*> values, const Items& items);
  void refuse_writes_to_attributes(jit::Node* node, const Items& inputs) const;
  [[noreturn]] void unsupported(const jit::Node* node, const std::string& why) const;
  [[noreturn]] void keeps_state(const jit::Node* node) const;

  // specialise_containers.cpp: true when the operator was a container operator and is done.
  bool apply_container(jit::Node* node, const Items& inputs);
  bool apply_construct(jit::Node* node, const Items& inputs);
  bool apply_list(jit::Node* node, const Items& inputs);
  bool apply_dict(jit::Node* node, const Items& inputs);

  // specialise_residual.cpp
  Items emit(jit::Node* node, const Items& inputs);
  bool apply_like(jit::Node* node, const Items& inputs);
  Items wrap_outputs(jit::Node* copy, const jit::Stack& results, bool shape_from_data);
  jit::Value* materialise(const ItemPtr& item);
  jit::Value* materialise_constant(const ItemPtr& item);
  jit::Value* emit_recipe(const ItemPtr& item);
  jit::Value* add_weight(const std::string& name, const c10::IValue& content);
  jit::Node* append(jit::Node* original, const std::vector<jit::Value*>& inputs);
  jit::Value* append_list(const ItemPtr& item);
  void unlock_constants(jit::Node* node, const Items& inputs);
  static void note_tensor(jit::Value* value, const at::Tensor& tensor);
  std::uint64_t attribute_bytes(const ItemPtr& item) const;
  void finish(const ItemPtr& output);

  // specialise_dynamic.cpp
  void emit_dynamic(jit::Node* node);
  struct Capture;
  void copy_block(jit::Block* from, jit::Block* to, Capture& capture);
  jit::Value* captured(jit::Value* value, Capture& capture);

  const jit::Module module_;
  std::shared_ptr<jit::Graph> program_;
  std::unordered_map<jit::Value*, ItemPtr> environment_;
  std::unordered_map<const jit::Node*, std::vector<jit::Value*>> dead_after_;

  std::map<std::pair<const void*, std::string>, ItemPtr> attributes_;
  std::map<const void*, std::string> module_paths_;
  std::map<std::string, std::shared_ptr<jit::Graph>> inlined_methods_;

  // Storages that belong to the model, and those written to while their content was known.
  std::map<const void*, std::uint64_t> attribute_storages_;
  std::unordered_set<const void*> written_storages_;
  std::vector<std::weak_ptr<Item>> computed_constants_;

  Residual residual_;
};

}  // namespace adamec::torchscript
