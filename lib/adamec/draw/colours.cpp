#include "adamec/draw/colours.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace adamec::draw {
namespace {

struct Colour {
  int red;
  int green;
  int blue;
};

constexpr std::array<Colour, kColourCount> kColours = {{{86, 180, 233},
                                                        {230, 159, 0},
                                                        {0, 158, 115},
                                                        {204, 121, 167},
                                                        {240, 228, 66},
                                                        {0, 114, 178},
                                                        {213, 94, 0},
                                                        {153, 153, 153}}};

// Mixed with white (towards 1) or black (towards -1).
std::string mixed(const Colour& colour, double share) {
  const auto channel = [&](int value) {
    const double target = share > 0 ? 255 : 0;
    return static_cast<int>(std::lround(value + std::abs(share) * (target - value)));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(colour.red), channel(colour.green),
                     channel(colour.blue));
}

}  // namespace

std::string fill_colour(std::size_t index) {
  constexpr std::array<double, 3> kShades = {0.45, 0.75, 0.1};
  return mixed(kColours[index % kColours.size()],
               kShades[index / kColours.size() % kShades.size()]);
}

std::string line_colour(std::size_t index) {
  return mixed(kColours[index % kColours.size()], -0.25);
}

}  // namespace adamec::draw
