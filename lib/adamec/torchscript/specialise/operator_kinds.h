#pragma once

#include <string>
#include <vector>

#include "adamec/torchscript/run/libtorch.h"
#include "adamec/torchscript/specialise/known_value.h"

// What partial evaluation must know about single operators, all in one place.
namespace adamec::torchscript {

// "prim::If at vit.py:92"
[[nodiscard]] std::string construct(const jit::Node* node);

// int, float or bool.
[[nodiscard]] bool is_number(const c10::TypePtr& type);
// Code without tensors as results, branches included: cheap, so that it may be run again wherever
// its results are needed.
[[nodiscard]] bool is_scalar_code(jit::Node* node);
// Operators that draw random numbers: their results are never known beforehand.
[[nodiscard]] bool is_random(const jit::Node* node);
// Operators that give the same whenever they run, so that they can run when the model is cut.
[[nodiscard]] bool may_run_beforehand(const jit::Node* node);
// Queries whose answer depends on the types of their arguments only.
[[nodiscard]] bool is_type_query(const jit::Node* node);
// Queries whose answer depends on the types and shapes of their arguments only.
[[nodiscard]] bool is_shape_query(const jit::Node* node);
// Operators that do no work when they return their argument itself.
[[nodiscard]] bool may_be_identity(const jit::Node* node, const KnownValues& inputs);
// Those of them for which that depends on sizes.
[[nodiscard]] bool is_identity_by_size(const jit::Node* node);
// Operators whose result's shape depends on what their tensors hold. Custom operators count as
// such: nothing is known of them.
[[nodiscard]] bool shape_depends_on_content(const jit::Node* node, const KnownValues& inputs);
// Whether the operator gives a list of as many tensors whatever its arguments hold, although their
// shapes depend on content.
[[nodiscard]] bool gives_fixed_count(const jit::Node* node, const KnownValues& inputs);
// Whether a result's shape depends on content where nothing is known of the arguments: true when in
// doubt.
[[nodiscard]] bool shape_may_depend_on_content(const jit::Node* node);

}  // namespace adamec::torchscript
