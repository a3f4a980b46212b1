#pragma once

#include <cstddef>
#include <string>

namespace adamec::draw {

// Different fill colours before they are used again in lighter and darker shades.
inline constexpr std::size_t kColourCount = 8;

// Fill colours that stay apart in print and for the colour-blind (Okabe and Ito, Color Universal
// Design, 2008; lightened). The last of the kColourCount is grey. "#rrggbb".
[[nodiscard]] std::string fill_colour(std::size_t index);
// A darker tone of the same, for lines and dots.
[[nodiscard]] std::string line_colour(std::size_t index);

}  // namespace adamec::draw
