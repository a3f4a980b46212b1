#pragma once

#include <optional>

#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/model_attributes.h"

// Lists, tuples and dicts whose elements are known one by one: their operators are done here and
// now, whatever the elements are.
namespace adamec::torchscript {

// Results of the operator; nothing: it is none of these, or depends on something that is not known.
// Changes the containers among the inputs, as the operator does; those of the model are noted as
// its state. Throws Unsupported for places and keys that the container does not have.
[[nodiscard]] std::optional<KnownValues> apply_container_operator(const jit::Node* node,
                                                                  const KnownValues& inputs,
                                                                  ModelAttributes& attributes);

}  // namespace adamec::torchscript
