#pragma once

#include <vector>

#include "adamec/torchscript/run/libtorch.h"

namespace adamec::torchscript {

// Lets operators write their result where their first argument lies, when that is a tensor that
// another operator of the graph has made and nobody else looks at: aten::relu becomes aten::relu_.
// The numbers stay the same; memory that is in the cache already is written to.
//
// `candidates`: nodes in a graph whose outputs are registered, with results of the type of their
// first argument. Only elementwise operators of one tensor are changed: shapes need not be known.
void write_in_place(const std::vector<jit::Node*>& candidates);

}  // namespace adamec::torchscript
