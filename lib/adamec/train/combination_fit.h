#pragma once

#include <span>

#include "adamec/predict/combination.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::train {

// A measured block and what it is made of.
struct MeasuredBlock {
  predict::BlockTerms terms;
  double us = 0;
  double variance = 0;  // of the logarithm's noise, > 0
};

// The call, the shares of pairs and the costs of cold bytes that fit the relative errors of blocks
// best, shrunk towards nothing where few blocks tell (ridge regression: pairs towards their
// consumer's share, the rest towards 0; costs of bytes and calls never negative). All of one number
// of threads, without load; at least one.
[[nodiscard]] v1::Combination fit_combination(std::span<const MeasuredBlock> blocks,
                                              unsigned threads);

}  // namespace adamec::train
