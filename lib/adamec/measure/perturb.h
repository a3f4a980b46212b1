#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "adamec/v1/archive.pb.h"

namespace adamec::measure {

// Random numbers that are the same with every standard library.
class Random {
 public:
  Random(const std::string& name, std::uint64_t seed);
  std::size_t below(std::size_t count) { return generator_() % count; }
  double uniform();  // 0..1
  bool chance(double probability) { return uniform() < probability; }
  // A size near the given one: up to twice or half of it, mostly a multiple of 8.
  std::int64_t near(std::int64_t size);

 private:
  std::mt19937_64 generator_;
};

// Whether perturbed() knows how the arguments of such a call hang together: float32 tensors of the
// shapes it expects.
bool can_perturb(const v1::Operator& op);

// The call with some of its sizes changed, so that it still runs and takes neither more than about
// 64 MiB nor 2 billion multiply-accumulates, or a quarter more than `op` where that is more. `op`
// must be one that can_perturb().
v1::Operator perturbed(const v1::Operator& op, Random& random);

}  // namespace adamec::measure
