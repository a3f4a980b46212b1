#pragma once

#include <string>

#include "adamec/v1/archive.pb.h"

namespace adamec::predict {

// The configuration of an atom as canonical text: kind, and for each operator its name, arguments
// (tensor types, whether they are weights, literals) and results. Ids, weights' values and source
// positions are left out: same text = same work, measured once.
//
//   aten::conv2d(input=float32[1,3,8,8],weight=weight float32[4,3,3,3],stride=[2,
//   2])->float32[1,4,3,3]
std::string signature(const v1::Atom& atom);

}  // namespace adamec::predict
