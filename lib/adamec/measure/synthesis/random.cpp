#include "adamec/measure/synthesis/random.h"

#include <algorithm>
#include <cmath>

#include "adamec/predict/signature.h"

namespace adamec::measure {

Random::Random(const std::string& name, std::uint64_t seed) {
  const std::uint64_t hash = predict::signature_hash(name);
  std::seed_seq seeds{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)};
  generator_.seed(seeds);
}

double Random::uniform() {
  return static_cast<double>(generator_() >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

std::int64_t Random::near(std::int64_t size) {
  const auto wanted = std::llround(static_cast<double>(size) * std::exp2(2 * uniform() - 1));
  if (wanted >= 16 && chance(0.8)) return (wanted + 4) / 8 * 8;
  return std::max<std::int64_t>(1, wanted);
}

}  // namespace adamec::measure
