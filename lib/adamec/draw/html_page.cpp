#include "adamec/draw/html_page.h"

#include <fmt/format.h>

#include "adamec/draw/text.h"

namespace adamec::draw {
namespace {

// Pictures that are no charts bring their own colours and a white ground (Svg::str()).
constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5d6873; --grid: #e3e7eb; --paper: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9aa5b1; --grid: #333c46; --paper: #161b21; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       margin: 2rem auto; max-width: 1320px; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem; }
p { margin: .4rem 0; max-width: 60rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-size: .93em;
        font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; text-align: left; border-bottom: 1px solid var(--grid); }
th { color: var(--soft); font-weight: 500; }
td.number, .figures th, .figures td { text-align: right; }
.figures th:first-child, .figures td:first-child { text-align: left; }
tr.total td { font-weight: 600; }
.swatch { display: inline-block; width: 1em; height: 1em; vertical-align: -.1em;
          margin-right: .5em; border: 1px solid #888; }
.legend span { white-space: nowrap; margin-right: .8em; }
.legend .swatch { margin-right: .2em; width: .7em; height: .7em; border-radius: 50%; border: 0;
                  vertical-align: 0; }
.wide { overflow-x: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 2rem;
         margin: 1.5rem 0; }
.plots h2 { margin-top: 0; } .plots p { color: var(--soft); }
svg.chart { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
.chart text { fill: var(--ink); }
.chart .axis { stroke: var(--soft); } .chart .grid { stroke: var(--grid); }
.chart .line { stroke: #2466a8; stroke-width: 2; fill: none; }
.chart .ceiling { stroke: #d1822b; stroke-width: 2; stroke-dasharray: 6 4; fill: none; }
.chart .ideal { stroke: var(--soft); stroke-dasharray: 3 3; fill: none; }
.chart .band { fill: #2466a8; fill-opacity: .1; }
.chart .box { fill: #2466a8; fill-opacity: .35; }
.chart circle { fill-opacity: .7; }
)";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n{2}</body>\n</html>\n",
      escaped(title), kStyle, body);
}

std::string html_swatch(const std::string& colour) {
  return fmt::format("<span class=\"swatch\" style=\"background: {}\"></span>", colour);
}

std::string html_cell(const std::string& text) { return "<td>" + escaped(text) + "</td>"; }

std::string html_number_cell(const std::string& text) {
  return "<td class=\"number\">" + escaped(text) + "</td>";
}

}  // namespace adamec::draw
