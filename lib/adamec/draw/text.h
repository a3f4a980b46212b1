#pragma once

#include <string>

namespace adamec::draw {

// Plain text (UTF-8) as it may stand in HTML and SVG, also within quotes of either kind: & < > " '
// are escaped; line breaks and tabs become spaces, and other control characters, which XML does not
// allow, question marks.
[[nodiscard]] std::string escaped(const std::string& text);

// A coordinate in pixels, to tenths, without needless digits: "12", "0.5".
[[nodiscard]] std::string pixels(double value);

}  // namespace adamec::draw
