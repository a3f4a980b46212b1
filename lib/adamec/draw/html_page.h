#pragma once

#include <string>

namespace adamec::draw {

// A self-contained page: no scripts, no other files; light or dark as the reader's system is.
// `title` is plain text; `body` is HTML. Classes that its style knows:
//
//   table.figures  columns of numbers after a first one of names; a row "total" stands out
//   td.number      a number in a table of texts
//   span.swatch    a patch of colour
//   p.legend       names behind patches
//   .wide          scrolls sideways when there is no room
//   .plots         sections beside and below each other
//   svg.chart      pictures of chart.h
[[nodiscard]] std::string html_page(const std::string& title, const std::string& body);

// "<span class=...></span>", filled with a colour of colours.h.
[[nodiscard]] std::string html_swatch(const std::string& colour);

// "<td>...</td>" of plain text; numbers are aligned to the right.
[[nodiscard]] std::string html_cell(const std::string& text);
[[nodiscard]] std::string html_number_cell(const std::string& text);

}  // namespace adamec::draw
