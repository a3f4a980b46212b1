#pragma once

#include <string>

#include "adamec/torchscript/specialise/known_value.h"
#include "adamec/torchscript/specialise/residual_writer.h"
#include "adamec/torchscript/specialise/shape_guards.h"

namespace adamec::torchscript {

// What the results of a node of the residual graph depend on, beside the content of tensors.
struct Provenance {
  bool from_data = false;    // shapes of results depend on content
  bool from_state = false;   // on the state's alone
  std::string guard{};       // where such shapes may be taken for granted; empty: nowhere
  std::string place{};       // of the step, where sizes are open
  bool fixed_count = false;  // of tensors in results that are lists, all the same
};

// What is known of the node's results in this run. Lists of tensors whose length is known are
// unpacked; shapes are guarded where they are taken for granted.
[[nodiscard]] KnownValues known_results(jit::Node* node, const jit::Stack& results,
                                        const Provenance& provenance, ResidualWriter& writer,
                                        ShapeGuards& guards);

// Whether all that is not known of the operator's results depends on the model's state alone.
[[nodiscard]] bool only_from_state(const jit::Node* node, const KnownValues& inputs);

}  // namespace adamec::torchscript
