#pragma once

#include <vector>

#include "adamec/torchscript/item.h"
#include "adamec/torchscript/pch.h"

// What partial evaluation must know about single operators, all in one place.
namespace adamec::torchscript {

// Operators that draw random numbers: their results are never known beforehand.
bool is_random(const jit::Node* node);
// Operators that give the same whenever they run, so that they can run when the model is cut.
bool may_run_beforehand(const jit::Node* node);
// Queries whose answer depends on the types of their arguments only.
bool is_type_query(const jit::Node* node);
// Queries whose answer depends on the types and shapes of their arguments only.
bool is_shape_query(const jit::Node* node);
// Operators that do no work when they return their argument itself.
bool may_be_identity(const jit::Node* node, const std::vector<ItemPtr>& inputs);
// Operators whose result's shape depends on what their tensors hold. Custom operators count as
// such: nothing is known of them.
bool shape_depends_on_content(const jit::Node* node, const std::vector<ItemPtr>& inputs);

}  // namespace adamec::torchscript
