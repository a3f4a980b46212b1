#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"

// Configurations that no model at hand has, near those that networks use: more points for the
// predictor to learn from.
namespace adamec::measure {

// "conv2d", "linear", ...
[[nodiscard]] const std::vector<std::string>& synthetic_kinds();

// `count` operator calls of a kind, without results: calls of the models at hand (or, where these
// have none of the kind, usual ones) whose channels, resolution, kernel, stride, groups, rows,
// columns, sizes or shares of subnormal numbers were changed at random, up to about twice or half.
// All fit: the same call on a LibTorch that knows the operator runs. Same arguments, same calls;
// some may be alike.
[[nodiscard]] std::vector<v1::Operator> synthesize(const std::string& kind, std::size_t count,
                                                   std::span<const v1::Operator* const> at_hand,
                                                   std::uint64_t seed);

// An operator from the text of its signature (predict/signature.h), results left out. Throws Error.
[[nodiscard]] v1::Operator parse_operator(const std::string& signature);

}  // namespace adamec::measure
