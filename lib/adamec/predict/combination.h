#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adamec/predict/work.h"
#include "adamec/v1/predictor.pb.h"

namespace adamec::predict {

// A tensor that one part of a block makes and another takes: indices of parts.
struct PartEdge {
  std::size_t producer = 0;
  std::size_t consumer = 0;
  double bytes = 0;
};

// What one part of a block touches.
struct Footprint {
  double weight_bytes = 0;
  double activation_bytes = 0;  // read and written

  [[nodiscard]] double bytes() const { return weight_bytes + activation_bytes; }
};

// Nothing for views; of an embedding's table the rows it takes.
[[nodiscard]] Footprint footprint_of(const Work& work);

// What a block goes through between two uses of a byte: all weights, and the tensors that are alive
// at one time, as the memory of those that are done with is used again. Edges lead forward.
[[nodiscard]] double working_set(std::span<const Footprint> parts,
                                 const std::vector<PartEdge>& edges);

// Bytes of the part that are in a cache while it runs by itself again and again, but are not when
// it runs among others that touch `working_set`: by size of the cache, kCacheBytes. Those of
// phones and servers alike; what each costs on a machine, if anything, is learnt. Predictors name
// the sizes they use, so more may be added.
inline constexpr std::array<double, 5> kCacheBytes = {1 << 17, 1 << 20, 1 << 21, 1 << 23, 1 << 25};
using ColdBytes = std::array<Footprint, kCacheBytes.size()>;
[[nodiscard]] ColdBytes cold_bytes(const Footprint& part, double working_set);

// A part by itself, both in one unit.
struct PartTimes {
  double unloaded = 0;
  double in_context = 0;
};

// How a block slows down under load, from how its parts do by themselves.
//
// Most parts slow down alike, and what is measured of a single one is half noise: a block slows
// down by the mean of its parts' slowdown and of the typical one. With several threads some parts
// take 10 to 40 times as long, however little they do: seen of products that OpenBLAS computes,
// never of oneDNN's, as if they waited for a thread that is not scheduled. That is a delay per
// call: the block has it too, whatever else it takes.
struct BlockSlowdown {
  double factor = 1;
  std::vector<double> waiting;  // of each part, beyond the factor; of most nothing
};

// `typical`: the slowdown of a typical atom in the context (CompiledPredictor::typical_slowdown);
// 0: not known, all parts together are what is known. A block of one part is that part.
[[nodiscard]] BlockSlowdown block_slowdown(std::span<const PartTimes> parts, double typical);

// What a block's latency is made of: unloaded, and how much more it is in a context.
struct BlockTerms {
  struct Fed {
    int producer = -1;  // operators, in the predictor's vocabulary; -1: unknown
    int consumer = -1;
    double us = 0;  // of the consumer alone
  };
  std::size_t atoms = 0;
  double sum_us = 0;     // of the atoms alone
  double least_us = 0;   // of the atoms alone: more than entering a module takes
  std::vector<Fed> fed;  // atoms that take a tensor another one made: from the largest one
  ColdBytes cold = {};   // of all atoms
  double slowdown = 1;   // of all that
  double waiting_us = 0;

  void add_cold(std::span<const Footprint> parts, const std::vector<PartEdge>& edges);
  void set_slowdown(const BlockSlowdown& of_block);
};

// What a consumer savings: a share of its latency beyond the call. All in one unit.
[[nodiscard]] double pair_saving(double share, double latency, double call);

// Of each part, the one that makes the largest tensor it takes; -1: none. Edges must be in range.
[[nodiscard]] std::vector<int> feeders(std::size_t parts, const std::vector<PartEdge>& edges);

// How blocks differ from the sum of their atoms, for one number of threads.
//
//   T(block) = sum t - (atoms - 1) * call - sum over fed atoms (share of pair * (t - call))
//              + sum over sizes of caches (cold bytes * their cost)
//
// A share is what a consumer saves when it runs right behind its producer in one module: folded
// away (batch normalisation), or negative. `call` is what entering a module costs. Measured by
// itself an atom finds its weights and tensors in the cache, which in a large network it does not:
// the share of a working set of w bytes that a cache of c bytes misses is taken as w^2 / (w^2 +
// c^2).
//
// That is unloaded. Under load all of it is slowed down as its atoms are, cold caches too: a core
// that is shared is shared by whatever runs (BlockSlowdown).
class Combination {
 public:
  Combination() = default;
  // Throws Error, prefixed by `field`, for numbers a trainer would not write.
  Combination(const v1::Combination& message, const std::string& field);

  [[nodiscard]] double block_us(const BlockTerms& terms) const;
  [[nodiscard]] double share(int producer, int consumer) const;
  [[nodiscard]] double call_us() const { return call_us_; }
  // What the cold bytes cost, unloaded.
  [[nodiscard]] double cold_us(const ColdBytes& cold) const;
  [[nodiscard]] double block_q95() const { return block_q95_; }
  [[nodiscard]] double model_q95() const { return model_q95_; }

 private:
  double call_us_ = 0;
  double block_q95_ = 0;
  double model_q95_ = 0;
  std::map<std::pair<int, int>, double> shares_;  // producer (-1: any), consumer
  ColdBytes cold_us_;                             // us per byte
};

}  // namespace adamec::predict
