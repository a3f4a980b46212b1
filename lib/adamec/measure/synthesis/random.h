#pragma once

#include <cassert>
#include <cstdint>
#include <random>
#include <string>

namespace adamec::measure {

// Random numbers that are the same with every standard library.
class Random {
 public:
  Random(const std::string& name, std::uint64_t seed);
  [[nodiscard]] std::size_t below(std::size_t count) {  // 0 .. count-1; count > 0
    assert(count > 0);
    return generator_() % count;
  }
  [[nodiscard]] double uniform();  // 0..1
  bool chance(double probability) { return uniform() < probability; }
  // A size near the given one: up to twice or half of it, mostly a multiple of 8.
  [[nodiscard]] std::int64_t near(std::int64_t size);

 private:
  std::mt19937_64 generator_;
};

}  // namespace adamec::measure
