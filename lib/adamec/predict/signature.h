#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "adamec/v1/archive.pb.h"
#include "adamec/v1/samples.pb.h"

namespace adamec::predict {

// The configuration of an atom as canonical text: for each operator its name, arguments (tensor
// types, whether they are weights, literals) and results. Ids, weights' values and source positions
// are left out: same text = same work, measured once.
//
//   aten::linear(input=float32[1,8],weight=weight float32[4,8],bias=None)->float32[1,4]
[[nodiscard]] std::string signature(const v1::Atom& atom);

// The same for a block, a model or a sequence of atoms, from its subject, parts,
// edges and the number of tensors that cross its boundary:
//
//   BLOCK of 12: 0123456789abcdef
[[nodiscard]] std::string composite_signature(const v1::Sample& sample);

// 64-bit FNV-1a of a signature, as predictor files store it.
[[nodiscard]] std::uint64_t signature_hash(std::string_view signature);

}  // namespace adamec::predict
