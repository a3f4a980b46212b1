#pragma once

#include <string>
#include <vector>

#include "adamec/torchscript/specialise/assumptions.h"
#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/model_attributes.h"
#include "adamec/torchscript/specialise/residual_writer.h"
#include "adamec/torchscript/specialise/shape_guards.h"

namespace adamec::torchscript {

// What the model keeps from one run to the next: inputs of the graph before the program runs,
// outputs after it, tensor by tensor in the same order.
//
// Numbers are tensors without dimensions; what may be None is two of them, whether it is there and
// its content; lists, tuples and dicts are taken apart, and must keep their length.
class StateTable {
 public:
  // The others must outlive this object; it adds to the assumptions.
  StateTable(Assumptions& assumptions, ModelAttributes& attributes, ResidualWriter& writer,
             ShapeGuards& guards);

  // The attributes known to be state become inputs of the graph. Throws Unsupported for those of
  // types that state cannot have.
  void add_inputs();
  // What they hold by now becomes their next state. Throws Unsupported when that has a different
  // structure than before.
  void add_outputs();

 private:
  KnownValuePtr add(const c10::TypePtr& type, const c10::IValue& value, const std::string& name,
                    const std::string& path);
  KnownValuePtr add_tensor(const at::Tensor& value, const std::string& name,
                           const std::string& path);
  KnownValuePtr add_optional(const c10::TypePtr& content, const c10::IValue& value,
                             const std::string& name, const std::string& path);
  void set_next(const c10::TypePtr& type, const KnownValuePtr& now);
  void set_next_optional(const c10::TypePtr& content, const KnownValuePtr& now);
  void set_next_tensor(jit::Value* next);
  [[nodiscard]] const std::string& next_name() const;
  [[nodiscard]] bool from_state(const std::string& path) const;
  jit::Value* constant(const at::Tensor& tensor) { return writer_.add_weight("state", tensor); }

  Assumptions& assumptions_;
  ModelAttributes& attributes_;
  ResidualWriter& writer_;
  ShapeGuards& guards_;
  std::vector<ModelAttributes::StateAttribute> states_;
  std::size_t next_ = 0;  // of the graph's states, whose next value is set next
};

}  // namespace adamec::torchscript
