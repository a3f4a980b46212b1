#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/model_attributes.h"
#include "adamec/torchscript/specialise/residual_writer.h"

namespace adamec::torchscript {

// Copies a branch or loop that depends on data into the residual graph, with all its blocks.
//
// Modules are no values of that graph: attributes read in the blocks become values from outside,
// and what they assign to attributes becomes further results of the branch. Loops that assign to
// attributes are not supported.
class BlockCopier {
 public:
  // What is known of a value defined outside of the node.
  using Lookup = std::function<KnownValuePtr(jit::Value*)>;

  // The others must outlive this object. Attributes that are assigned are noted as state.
  BlockCopier(Lookup lookup, ModelAttributes& attributes, ResidualWriter& writer);

  // The copy, at the end of the graph. Its results: those of the node, then what attributes hold.
  // To be called once. Throws Unsupported.
  jit::Node* copy(jit::Node* node);

  // The values of the graph that the copy reads.
  using Use = std::pair<jit::Value*, KnownValuePtr>;
  [[nodiscard]] const std::vector<Use>& outside() const { return outside_; }
  // The attributes it assigns, with the index of the copy's result.
  using Assigned = std::pair<ModelAttributes::Key, std::size_t>;
  [[nodiscard]] const std::vector<Assigned>& assigned() const { return assigned_; }
  // Whether it may change a list or dict.
  [[nodiscard]] bool changes_containers() const { return changes_containers_; }

 private:
  struct Assignment {
    std::string path;
    c10::TypePtr type;
    jit::Value* value = nullptr;  // what the attribute holds from here on
    KnownValuePtr before;         // what it held outside
  };
  using Assignments = std::map<ModelAttributes::Key, Assignment>;

  void copy_block(jit::Block* from, jit::Block* to);
  void copy_blocks(jit::Node* from, jit::Node* to);
  jit::Node* copy_node(jit::Node* node);
  bool copy_attribute_access(jit::Node* node);
  void get_attribute(jit::Node* node);
  void set_attribute(jit::Node* node);
  void merge_assignments(jit::Node* branch, const std::vector<Assignments>& assigned);
  const Assignment* assignment_of(const ModelAttributes::Key& key) const;
  KnownValuePtr source_of(jit::Value* value) const;
  jit::Value* captured(jit::Value* value);
  jit::Value* captured(const KnownValuePtr& source);

  const Lookup lookup_;
  ModelAttributes& attributes_;
  ResidualWriter& writer_;
  jit::Node* node_ = nullptr;                            // that is copied
  std::unordered_map<jit::Value*, jit::Value*> inside_;  // values defined in its blocks
  std::unordered_map<jit::Value*, KnownValuePtr> read_;  // attributes read in its blocks
  std::vector<Use> outside_;
  std::vector<Assignments> scopes_;  // of the blocks around this place, the innermost last
  std::vector<Assigned> assigned_;
  bool changes_containers_ = false;
};

// The attribute of an object of a class that is no module.
[[nodiscard]] KnownValuePtr& object_attribute(const jit::Node* node, KnownValue& object);

}  // namespace adamec::torchscript
