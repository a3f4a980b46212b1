#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// A tensor that one part of a block makes and another takes: indices of parts.
struct PartEdge {
  std::size_t producer = 0;
  std::size_t consumer = 0;
  double bytes = 0;
};

// What a block's latency is made of, in one context.
struct BlockTerms {
  struct Fed {
    int producer = -1;  // operators, in the predictor's vocabulary; -1: unknown
    int consumer = -1;
    double us = 0;  // of the consumer alone
  };
  std::size_t atoms = 0;
  double sum_us = 0;           // of the atoms alone
  double least_us = 0;         // of the atoms alone: more than entering a module takes
  double unloaded_sum_us = 0;  // the same without load
  std::vector<Fed> fed;        // atoms that take a tensor another one made: from the largest one
};

// Of each part, the one that makes the largest tensor it takes; -1: none. Edges must be in range.
std::vector<int> feeders(std::size_t parts, const std::vector<PartEdge>& edges);

// How blocks differ from the sum of their atoms, for one number of threads.
//
//   T(block) = sum t - sum over fed atoms (share of pair * t) - (atoms - 1) * call
//
// A share is what a consumer gains when it runs right behind its producer in one module: folded
// away (batch normalisation), run in warm caches; negative when the caches are colder than in a
// measurement of its own. `call` is what entering a module costs.
class Combination {
 public:
  Combination() = default;
  // Throws Error, prefixed by `field`, for numbers a trainer would not write.
  Combination(const v1::Combination& message, const std::string& field);

  double block_us(const BlockTerms& terms) const;
  double share(int producer, int consumer) const;
  double call_us() const { return call_us_; }
  double block_q95() const { return block_q95_; }
  double model_q95() const { return model_q95_; }

 private:
  double call_us_ = 0;
  double block_q95_ = 0;
  double model_q95_ = 0;
  std::map<std::pair<int, int>, double> shares_;  // producer (-1: any), consumer
};

}  // namespace adamec::predict
