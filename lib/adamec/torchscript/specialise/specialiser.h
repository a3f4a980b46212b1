#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "adamec/torchscript/specialise/specialise.h"

namespace adamec::torchscript {

// What has been learnt of a model. Partial evaluation begins anew whenever it learns more.
struct Assumptions {
  std::set<std::string> attributes;  // paths of those that the method assigns or writes to
  std::set<std::string> in_place;    // of these, those whose memory it writes to
  std::set<std::string> from_data;   // numbers and shapes that depend on the inputs' content
  std::set<std::string> varying;     // guards that do not hold in every run, sizes that differ
  // It is tried whether all attributes hold after a run what they held before: then there is no
  // state, although the method assigns to some.
  bool unchanging = false;

  std::size_t size() const {
    return attributes.size() + in_place.size() + from_data.size() + varying.size();
  }
};

// What the exception of a guard says after the guard's own text (Residual::guards).
inline constexpr char kGuardText[] = " has another shape or type than ";

// Innermost calls first, so that every node's call stack names all modules it lies in: this is what
// LibTorch does while its optimizer is on. It keeps what it made of a function the first time.
void inline_calls(jit::Graph& graph);

// Thrown where partial evaluation cannot go on with what it knew.
struct LearntMore {};

// One run of partial evaluation; see specialise(). Its methods stand in
//   specialise.cpp             control flow, attributes, which operators are folded
//   specialise_containers.cpp  lists, tuples, dicts
//   specialise_objects.cpp     objects of classes that are no modules
//   specialise_residual.cpp    writing the residual graph
//   specialise_dynamic.cpp     branches and loops that depend on data
//   specialise_state.cpp       what the model keeps from one run to the next
//   specialise_sizes.cpp       sizes that stay open
// and converge.cpp repeats it.
class Specialiser {
 public:
  // The assumptions must outlive this object; it adds to them. `open_sizes`: shapes are not taken
  // for granted.
  Specialiser(const jit::Module& module, const std::string& method, Assumptions& assumptions,
              bool open_sizes);
  // The result counts only when the assumptions have not become more.
  Residual run(const std::vector<c10::IValue>& arguments);

 private:
  using Items = std::vector<KnownValuePtr>;
  using AttributeKey = std::pair<const void*, std::string>;  // object and name

  // specialise.cpp
  void run_block(jit::Block* block);
  void run_node(jit::Node* node);
  bool is_instance(jit::Node* node) const;
  void run_if(jit::Node* node);
  void run_loop(jit::Node* node);
  void get_attribute(jit::Node* node);
  KnownValuePtr& attribute(jit::Node* node, const KnownValuePtr& owner);
  std::string attribute_path(jit::Node* node, const KnownValuePtr& owner) const;
  void own(const KnownValuePtr& part, const std::string& name, const std::string& path);
  void call_method(jit::Node* node);
  void apply_operator(jit::Node* node);
  bool is_known_query(jit::Node* node, const Items& inputs) const;
  Items fold(jit::Node* node, const Items& inputs);
  KnownValuePtr item(jit::Value* value) const;
  Items items(c10::ArrayRef<jit::Value*> values) const;
  void bind(c10::ArrayRef<jit::Value*> values, const Items& items);
  void notice_writes_to_attributes(jit::Node* node, const Items& inputs);
  [[noreturn]] void unsupported(const jit::Node* node, const std::string& why) const;
  [[noreturn]] void keeps_state(const jit::Node* node) const;

  // specialise_containers.cpp: true when the operator was a container operator and is done.
  bool apply_container(jit::Node* node, const Items& inputs);
  bool apply_construct(jit::Node* node, const Items& inputs);
  bool unpack_opaque(jit::Node* node, const KnownValuePtr& whole);
  bool apply_list(jit::Node* node, const Items& inputs);
  bool apply_dict(jit::Node* node, const Items& inputs);
  void note_container(const KnownValuePtr& container, const std::string& path);
  void notice_container_write(const KnownValuePtr& container);

  // specialise_objects.cpp
  void create_object(jit::Node* node);
  KnownValuePtr& object_attribute(jit::Node* node, const KnownValuePtr& object) const;
  bool apply_object(jit::Node* node);

  // specialise_residual.cpp
  Items emit(jit::Node* node, const Items& inputs);
  bool apply_like(jit::Node* node, const Items& inputs);
  struct Origin {
    bool from_data = false;    // shapes of results depend on content
    bool from_state = false;   // on the state's alone
    std::string guard{};       // where such shapes may be taken for granted; empty: nowhere
    std::string place{};       // of the step, where sizes are open
    bool fixed_count = false;  // of tensors in results that are lists, all the same
  };
  Items wrap_outputs(jit::Node* copy, const jit::Stack& results, const Origin& origin);
  jit::Value* materialise(const KnownValuePtr& item);
  jit::Value* materialise_constant(const KnownValuePtr& item);
  jit::Value* emit_recipe(const KnownValuePtr& item);
  jit::Value* add_weight(const std::string& name, const c10::IValue& content);
  jit::Node* append(jit::Node* original, const std::vector<jit::Value*>& inputs);
  jit::Value* append_list(const KnownValuePtr& item);
  void unlock_constants(jit::Node* node, const Items& inputs);
  static void note_tensor(jit::Value* value, const at::Tensor& tensor);
  std::uint64_t attribute_bytes(const KnownValuePtr& item) const;
  void finish(const KnownValuePtr& output);

  // specialise_dynamic.cpp
  void emit_dynamic(jit::Node* node);
  struct Capture;
  void copy_block(jit::Block* from, jit::Block* to, Capture& capture);
  void copy_blocks(jit::Node* from, jit::Node* to, Capture& capture);
  void merge_assignments(jit::Node* branch, Capture& capture);
  void copy_get_attribute(jit::Node* node, Capture& capture);
  void copy_set_attribute(jit::Node* node, Capture& capture);
  KnownValuePtr source_of(jit::Value* value, Capture& capture) const;
  jit::Value* captured(jit::Value* value, Capture& capture);
  jit::Value* captured(const KnownValuePtr& source, Capture& capture);
  void bind_dynamic(jit::Node* node, jit::Node* copy, const Capture& capture,
                    const jit::Stack& results);

  // specialise_state.cpp
  void add_states();
  KnownValuePtr state_value(const c10::TypePtr& type, const c10::IValue& value,
                            const std::string& name, const std::string& path);
  KnownValuePtr optional_state(const c10::TypePtr& content, const c10::IValue& value,
                               const std::string& name, const std::string& path);
  jit::Value* add_state(const std::string& name, const at::Tensor& initial);
  void set_attribute(jit::Node* node);
  void learn(std::set<std::string>& assumptions, const std::string& what);
  void register_states();
  void check_unchanged() const;
  void next_state(const c10::TypePtr& type, const KnownValuePtr& item, std::size_t& state);
  void next_optional(const c10::TypePtr& content, const KnownValuePtr& item, std::size_t& state);
  void set_next(std::size_t& state, jit::Value* next);
  jit::Value* constant_state(const at::Tensor& tensor);
  bool only_from_state(jit::Node* node, const Items& inputs) const;
  void assume_shape(const KnownValuePtr& tensor, bool from_state, const std::string& guard);
  jit::Value* guarded(jit::Value* value, const at::Tensor& tensor, const std::string& guard,
                      const std::set<std::size_t>* known_sizes);
  jit::Value* unguarded(jit::Value* value) const;
  jit::Value* boxed(jit::Value* number);
  jit::Value* unboxed(jit::Value* tensor, const c10::TypePtr& type);

  // specialise_sizes.cpp
  void number_nodes(jit::Block* block);
  std::string site(const jit::Node* node);
  bool apply_size_query(jit::Node* node, const Items& inputs);
  void check_sizes(const std::string& guard, const KnownValuePtr& tensor,
                   const std::set<std::size_t>& known);
  void note_answer(const std::string& place, std::int64_t answer);
  bool is_open(const std::string& place) const;

  const jit::Module module_;
  Assumptions& assumptions_;
  const bool open_sizes_;
  std::shared_ptr<jit::Graph> program_;
  std::unordered_map<jit::Value*, KnownValuePtr> environment_;
  std::unordered_map<const jit::Node*, std::vector<jit::Value*>> dead_after_;

  std::map<AttributeKey, KnownValuePtr> attributes_;
  std::map<const void*, std::string> module_paths_;
  std::map<std::string, std::shared_ptr<jit::Graph>> inlined_methods_;

  // Storages that belong to the model, and those written to while their content was known.
  std::map<const void*, std::uint64_t> attribute_storages_;
  std::map<const void*, std::string> storage_paths_;  // of the attribute that a storage belongs to
  std::unordered_map<const KnownValue*, std::string> container_paths_;
  std::vector<KnownValuePtr>
      attribute_containers_;  // the same, so that no other gets their addresses
  std::unordered_set<const void*> written_storages_;
  std::vector<std::weak_ptr<KnownValue>> computed_constants_;

  struct StateAttribute {
    AttributeKey key;
    std::string path;
    c10::TypePtr type;
  };
  std::vector<StateAttribute> states_;
  std::map<AttributeKey, c10::IValue> assigned_;  // while trying: what they held before
  std::unordered_map<const jit::Value*, jit::Value*> unguarded_;
  std::map<std::string, int> guard_counts_;

  std::unordered_map<const jit::Node*, int> node_ids_;
  std::map<int, int> times_;  // that a node has been run
  std::map<KnownValuePtr, std::set<std::size_t>> checked_sizes_;

  Residual residual_;
};

}  // namespace adamec::torchscript
